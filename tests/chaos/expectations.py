"""What may be seen during a fault, in words that all lists of faults share."""

from dataclasses import dataclass
from typing import Final

COMPLETE, BOUNDED = frozenset({"complete"}), frozenset({"bounded"})
PENDING, UNKNOWN = frozenset({"pending"}), frozenset({"none"})
HELD = frozenset({"hold", "resume"})
ENDED = frozenset({"ended", "4401 terminated"})
UNVERIFIED = frozenset({"hold", "hello", "4503 unverified"})
CALM: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Expected:
    """What sockets may be told after their first `hello`.

    Attributes:
        at_a: those of the ended session at A.
        at_b: the same at B.
        others: those of other sessions.
    """

    at_a: frozenset[str]
    at_b: frozenset[str]
    others: frozenset[str]


UNNOTICED: Final = Expected(ENDED, ENDED, CALM)
HELD_EVERYWHERE: Final = Expected(ENDED | HELD, ENDED | HELD, HELD)
HELD_AT_B: Final = Expected(ENDED, ENDED | {"hold"}, HELD)


def nothing(_: object) -> None:
    """There is nothing to mend."""
