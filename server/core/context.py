"""What nearly every part of a node needs, so that it travels as one value.

Clocks and randomness come in from outside: the core has none, and a test supplies its own.
"""

from collections.abc import Callable
from dataclasses import dataclass

from server.core.audit import Record
from server.core.counts import Counts
from server.core.tracing import NO_TRACER, Tracer

ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class NodeContext:
    """A node's identity, clocks, randomness, counters and audit trail.

    Attributes:
        node: id of this node.
        now: returns the time of the store's clock, in Unix seconds.
        monotonic: returns seconds on a clock that is never set back.
        random: returns as many cryptographically strong random bytes as asked for.
        counts: counts what happens.
        record: writes to the audit trail.
        tracer: makes traces, where an operator asked for them.
    """

    node: str
    now: Callable[[], float]
    monotonic: Callable[[], float]
    random: Callable[[int], bytes]
    counts: Counts
    record: Record
    tracer: Tracer = NO_TRACER

    def new_id(self) -> str:
        """Return a new id, for an operation or an end."""
        return self.random(ID_BYTES).hex()
