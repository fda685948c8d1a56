"""What nodes tell each other over the control stream.

An event is a hint with an address, never a secret. Scripts append events in the same atomic step
as the change that they report. Whoever asked for the change has signed what it knew then, so nobody
who can only write to the store makes an event; what the script alone knew, proves nothing.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from server.core.reasons import Reason
from server.core.token import shard_of_sid

EVERYTHING: Final = "*"
"""In place of session ids: all sessions whose epoch is not the event itself."""


CLOCKS_DIFFER: Final = 0.1
"""Seconds; two nodes' ideas of the store's clock differ by no more."""


class Scope(StrEnum):
    """What an end is of."""

    SESSION = "session"
    """One session."""
    USER = "user"
    """All sessions of a user but one to keep."""
    SHARD = "shard"
    """Everything in a shard."""
    LIMIT = "limit"
    """A user's least recently used ones, which gave way to a new session, the one to keep."""


@dataclass(frozen=True, slots=True)
class SessionsEnded:
    """Sessions ended; sockets of theirs must be closed, and the end acknowledged to its initiator.

    Attributes:
        scope: what was ended.
        end_id: id of this end, as in frames, tombstones and receipts.
        initiator: the node that waits for acknowledgements.
        reason: why.
        asked_at: when it was asked for, in Unix seconds on the store's clock.
        user: whose sessions, None for anonymous ones and for everything.
        shard: where they are.
        keep: a session of the user that goes on; empty for none.
        at: when it happened. Not signed: the script alone knew it.
        sids: the sessions, or only `EVERYTHING`. Signed where there is one and it was named.
    """

    scope: Scope
    end_id: str
    initiator: str
    reason: Reason
    asked_at: float
    user: str | None
    shard: int
    keep: str
    at: float
    sids: tuple[str, ...]

    def may_include(self, sid: str, user: str | None, epoch: str) -> bool:
        """Whether this end may be one of that session: by what was signed alone."""
        match self.scope:
            case Scope.SESSION:
                return sid in self.sids
            case Scope.SHARD:
                return shard_of_sid(sid) == self.shard and epoch != self.end_id
        return user == self.user and sid != self.keep

    def proves_ended(self, sid: str, created_at: float) -> bool:
        """Whether a session that this end concerns is over for certain, without asking the store.

        What was there when all sessions were ended is over, and stays so, however often the event
        comes again. The list of sessions can only take away from that: a forged one ends nothing.
        """
        if self.scope is Scope.SESSION:
            return True
        is_named = self.sids == (EVERYTHING,) or sid in self.sids
        is_older = created_at < self.asked_at - CLOCKS_DIFFER
        return self.scope is not Scope.LIMIT and is_named and is_older


@dataclass(frozen=True, slots=True)
class TokenRotated:
    """A number was handed out for the first time; nothing secret is told."""

    sid: str
    generation: int


@dataclass(frozen=True, slots=True)
class SessionsChanged:
    """A user's list of sessions changed: one appeared, or opened or closed a socket."""

    user: str


@dataclass(frozen=True, slots=True)
class SessionExtended:
    """Activity moved a deadline that sockets had been warned of."""

    sid: str


@dataclass(frozen=True, slots=True)
class MessageSent:
    """Application data for all other sockets of the user.

    Attributes:
        user: whose sockets.
        connection: the socket that sent it, which does not get it back.
        box: the JSON text, sealed: streams lie in the store like everything else.
    """

    user: str
    connection: str
    box: bytes


Event = SessionsEnded | TokenRotated | SessionsChanged | SessionExtended | MessageSent


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What one node did about some ends of one initiator.

    Attributes:
        node: who says it.
        closed: for each event, how many sockets it closed.
    """

    node: str
    closed: dict[str, int]


class EntryRejection(StrEnum):
    """Why an entry of a stream was not acted on."""

    FORGED = "forged"
    """Nobody who has a key that is known here made it like this."""
    REPEATED = "repeated"
    """It was there before, elsewhere in the stream."""
    LATE = "late"
    """It is genuine, but from long before it appeared."""
