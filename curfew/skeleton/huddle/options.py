"""The settings of this application: `longest_greeting` is the variable HUDDLE_LONGEST_GREETING."""

from dataclasses import dataclass
from typing import Annotated

from curfew import Bounds


@dataclass(frozen=True)
class Options:
    """What can be set.

    Attributes:
        greeting: what people are greeted with who have not chosen their own words.
        longest_greeting: how many characters a greeting may have.
    """

    greeting: str = "Hello"
    longest_greeting: Annotated[int, Bounds(1, 1000)] = 80
