"""What a termination answers: who stopped, who is bounded, in what time."""

from dataclasses import dataclass, replace
from enum import StrEnum


class State(StrEnum):
    """How far a termination got when it was answered; in the store the sessions are dead."""

    COMPLETE = "complete"
    """Every listed node acknowledged: no process serves the sessions any more."""
    BOUNDED = "bounded"
    """The nodes that did not acknowledge have lost their lease and serve nothing."""
    PENDING = "pending"
    """The caller's wait ended before the rest, or the replicas asked for, had acknowledged."""


class Durability(StrEnum):
    """What is known about the end surviving a crash of the store."""

    FSYNC = "fsync"
    REPLICAS = "replicas"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class NodeCounts:
    """The listed nodes, by what is known of them."""

    acked: int = 0
    lease_expired: int = 0
    waiting: int = 0

    @property
    def state(self) -> State:
        """The strongest true statement."""
        if self.waiting:
            return State.PENDING
        return State.BOUNDED if self.lease_expired else State.COMPLETE


@dataclass(frozen=True, slots=True)
class Receipt:
    """The truth about one termination.

    Attributes:
        end_id: id of the end.
        state: see `State`.
        sessions: how many sessions this call ended.
        sockets_closed: how many sockets the acknowledging nodes closed.
        nodes: the listed nodes.
        durability: see `Durability`.
        elapsed_ms: from the call to this answer.
    """

    end_id: str
    state: State
    sessions: int
    sockets_closed: int
    nodes: NodeCounts
    durability: Durability
    elapsed_ms: float

    def with_sessions(self, sessions: int) -> "Receipt":
        """The receipt of an end whose sessions were counted after it."""
        return replace(self, sessions=sessions)

    def as_json(self) -> dict[str, object]:
        """The receipt as the wire has it."""
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
