"""The events that nodes send each other over the control stream.

An event names what to look at; it never holds a secret. The store's scripts append it in the same
atomic step as the change that it reports. The node that asked for the change has signed all that
it knew before, so nobody who can only write to the store can make an event. What only the script
knew is not signed, and proves nothing.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from server.core.reasons import Reason
from server.core.token import shard_of_sid

EVERYTHING: Final = "*"
"""In place of session ids: all sessions whose epoch is another than the id of this end."""


CLOCKS_DIFFER: Final = 0.1
"""Seconds by which two nodes may read the store's clock differently, at most."""


class Scope(StrEnum):
    """Which sessions an end is about."""

    SESSION = "session"
    """One session."""
    USER = "user"
    """All sessions of a user except one to keep."""
    SHARD = "shard"
    """All sessions of a shard."""
    LIMIT = "limit"
    """A user's least recently used sessions, ended to make room for a new one, the one to keep."""


@dataclass(frozen=True, slots=True)
class SessionsEnded:
    """Sessions ended: close their sockets, and acknowledge the end to its initiator.

    Attributes:
        scope: which sessions it is about.
        end_id: id of this end, as in frames, tombstones and receipts.
        initiator: the node that waits for acknowledgements.
        reason: why they ended.
        asked_at: when it was asked for, in Unix seconds on the store's clock.
        user: the owner of the sessions; None for anonymous ones and for a shard.
        shard: the shard that they are in.
        keep: the id of a session of the user that goes on; empty for none.
        at: when it happened. Not signed, as only the script knew it.
        sids: ids of the sessions, or only `EVERYTHING`. Signed if a single session was named.
        trace: the initiator's work on it, as `traceparent` (W3C); empty if it makes no traces.
        is_heard_together: whether the initiator reads the acknowledgements that nodes write for
            all initiators at once; nodes of earlier versions read only their own.
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
    trace: str = ""
    is_heard_together: bool = False

    def may_include(self, sid: str, user: str | None, epoch: str) -> bool:
        """Return whether the session may be among those ended, judged by signed fields alone."""
        match self.scope:
            case Scope.SESSION:
                return sid in self.sids
            case Scope.SHARD:
                return shard_of_sid(sid) == self.shard and epoch != self.end_id
        return user == self.user and sid != self.keep

    def proves_ended(self, sid: str, created_at: float) -> bool:
        """Return whether the event proves that the session has ended, without asking the store.

        A session that existed when all were ended is over and stays over, however often the event
        is repeated. `sids` can only make fewer sessions match, so a forged list ends nothing.

        Args:
            sid: id of a session for which `may_include` is true.
            created_at: when it was created, in Unix seconds on the store's clock.
        """
        if self.scope is Scope.SESSION:
            return True
        is_named = self.sids == (EVERYTHING,) or sid in self.sids
        is_older = created_at < self.asked_at - CLOCKS_DIFFER
        return self.scope is not Scope.LIMIT and is_named and is_older


@dataclass(frozen=True, slots=True)
class TokenRotated:
    """A token was issued for the first time. Only its generation is told, nothing secret."""

    sid: str
    generation: int


@dataclass(frozen=True, slots=True)
class SessionsChanged:
    """A user's list of sessions changed: one was created, or opened or closed a socket."""

    user: str


@dataclass(frozen=True, slots=True)
class SessionExtended:
    """Activity moved a deadline after sockets had been warned of it."""

    sid: str


@dataclass(frozen=True, slots=True)
class MessageSent:
    """Application data for all other sockets of the user.

    Attributes:
        user: the owner of the sockets.
        connection: id of the socket that sent it, which does not get it back.
        box: the JSON text, sealed, because streams are kept in the store like everything else.
    """

    user: str
    connection: str
    box: bytes


@dataclass(frozen=True, slots=True)
class DataPublished:
    """The application published data for a user, a session or a socket.

    Attributes:
        user: all sockets of this user; empty for a session.
        sid: all sockets of this session.
        connection: only this socket of the session; empty for all.
        mark: id by which clients acknowledge it; empty if nobody waits for that.
        publisher: the node that waits.
        box: the JSON text, sealed.
    """

    user: str
    sid: str
    connection: str
    mark: str
    publisher: str
    box: bytes


@dataclass(frozen=True, slots=True)
class RoomGranted:
    """The server added a user, or one session of the user, to a room: their sockets enter it.

    Attributes:
        user: the user; empty for a visitor.
        sid: the session; empty for the user.
        room: the room's name.
    """

    user: str
    sid: str
    room: str


Event = (
    SessionsEnded
    | TokenRotated
    | SessionsChanged
    | SessionExtended
    | MessageSent
    | DataPublished
    | RoomGranted
)
Message = MessageSent | DataPublished | RoomGranted
"""What goes over the message stream: delivered at most once, and nobody waits for it."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The answer of one node to some ends, of one initiator or of several.

    Attributes:
        node: id of the node that answers.
        closed: how many sockets it closed, by the id of the end.
    """

    node: str
    closed: dict[str, int]


class EntryRejection(StrEnum):
    """Why a node ignores an entry of a stream."""

    FORGED = "forged"
    """No key that this node knows signed it in this form."""
    REPEATED = "repeated"
    """The same entry came before, at another place in the stream."""
    LATE = "late"
    """It is genuine, but was signed long before it appeared."""
