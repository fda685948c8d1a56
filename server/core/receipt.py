"""The receipt of a termination: which nodes have stopped serving, and after what time."""

from dataclasses import dataclass, replace
from enum import StrEnum


class State(StrEnum):
    """How far a termination got before its answer; in the store the sessions have ended anyway."""

    COMPLETE = "complete"
    """Every listed node acknowledged: no process serves the sessions any more."""
    BOUNDED = "bounded"
    """The nodes that did not acknowledge have lost their lease, so they serve nothing."""
    PENDING = "pending"
    """The caller's wait ended before all nodes, or the wanted replicas, had acknowledged."""


class Durability(StrEnum):
    """What is known about whether this end survives a crash of the store."""

    FSYNC = "fsync"
    """The end was on the store's disk before the store answered."""
    REPLICAS = "replicas"
    """The wanted replicas have the end."""
    MEMORY = "memory"
    """The store has not confirmed that the end is on its disk."""
    UNKNOWN = "unknown"
    """The store does not say whether the end is on its disk."""


@dataclass(frozen=True, slots=True)
class NodeCounts:
    """How many of the listed nodes are in which state."""

    acked: int = 0
    lease_expired: int = 0
    waiting: int = 0

    @property
    def state(self) -> State:
        """The strongest state that is true of all of them."""
        if self.waiting:
            return State.PENDING
        return State.BOUNDED if self.lease_expired else State.COMPLETE


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is known about one termination.

    Attributes:
        end_id: id of the end.
        state: see `State`.
        sessions: how many sessions this call ended.
        sockets_closed: how many sockets the nodes that acknowledged have closed.
        nodes: the states of the listed nodes.
        durability: see `Durability`.
        elapsed_ms: milliseconds from the call to this answer.
    """

    end_id: str
    state: State
    sessions: int
    sockets_closed: int
    nodes: NodeCounts
    durability: Durability
    elapsed_ms: float

    def with_sessions(self, sessions: int) -> "Receipt":
        """Return the receipt with the number of sessions, if they were counted after the end."""
        return replace(self, sessions=sessions)

    def as_json(self) -> dict[str, object]:
        """Return the receipt as it is sent to clients."""
        return {
            "event": self.end_id,
            "state": self.state.value,
            "sessions": self.sessions,
            "sockets_closed": self.sockets_closed,
            "nodes": {
                "acked": self.nodes.acked,
                "lease_expired": self.nodes.lease_expired,
                "waiting": self.nodes.waiting,
            },
            "durability": self.durability.value,
            "elapsed_ms": round(self.elapsed_ms, 1),
        }
