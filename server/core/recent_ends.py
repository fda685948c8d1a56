"""One end as somebody sees it who only looks: what ended, and which nodes said that it is done."""

from dataclasses import dataclass
from typing import Final

from server.core.events import EVERYTHING, Scope, SessionsEnded

EVERYBODY: Final = "everybody"
VISITOR: Final = "a visitor"


@dataclass(frozen=True, slots=True)
class Done:
    """The answer of one node to one end.

    Attributes:
        node: its id.
        closed: how many sockets it closed.
        seconds: from the end to its answer, both on the store's clock.
    """

    node: str
    closed: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RecentEnd:
    """One end.

    Attributes:
        end: what ended.
        done: the answers of other nodes than the initiator, which needs no stream to answer
            itself. They are kept for a minute.
    """

    end: SessionsEnded
    done: tuple[Done, ...] = ()

    @property
    def is_of_all(self) -> bool:
        """Whether everybody's sessions of a shard ended."""
        return self.end.scope is Scope.SHARD

    @property
    def whose(self) -> str:
        """Whose sessions ended."""
        if self.is_of_all:
            return EVERYBODY
        return self.end.user or VISITOR

    @property
    def sessions(self) -> int | None:
        """How many sessions were named; None if all were meant."""
        return None if EVERYTHING in self.end.sids else len(self.end.sids)

    @property
    def sockets_closed(self) -> int:
        """How many sockets the nodes closed that answered."""
        return sum(each.closed for each in self.done)

    @property
    def seconds(self) -> float | None:
        """How long the last node took that answered; None if none did."""
        return max((each.seconds for each in self.done), default=None)
