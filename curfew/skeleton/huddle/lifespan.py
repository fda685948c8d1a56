"""What this application opens when a process starts, and closes when it stops."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from curfew import Node
from prometheus_client import Counter


@dataclass(frozen=True)
class State:
    """What handlers find in `self.node.state`.

    Attributes:
        greetings: counts the changes, for `/metrics`.
    """

    greetings: Counter


@asynccontextmanager
async def lifespan(node: Node) -> AsyncIterator[State]:
    """Open what the process needs. A database would be opened and closed here."""
    yield State(node.metrics.counter("huddle_greetings", "Greetings that were changed."))
