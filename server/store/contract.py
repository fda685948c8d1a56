"""What the engine asks of a store, and what it is answered.

Expected outcomes are values. Every method raises `StoreUnavailable` when the store cannot be asked
or does not answer in time; a write that raised may have happened, and asking again with the same
operation or event id is always safe. Every write first checks that the session exists and has not
ended (P3).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from server.core.events import Acknowledgement, EntryRejection, Event, MessageSent
from server.core.reasons import Reason
from server.core.session import Session


@dataclass(frozen=True, slots=True)
class Stored:
    """A live record.

    Attributes:
        session: the record.
        revision: counts its writes; a save names the one it is based on.
        stale_key: it is sealed under an older key and should be written again.
    """

    session: Session
    revision: int
    stale_key: bool = False


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What remains of an ended session until its cookie cannot come back any more."""

    end_id: str
    reason: Reason
    at: float


@dataclass(frozen=True, slots=True)
class Missing:
    """Nothing is known of the session: it never was, or it expired long ago."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that does not open: tampered with, copied, or sealed under a retired key."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Another writer was first; nothing was written."""


@dataclass(frozen=True, slots=True)
class Saved:
    """The record was written."""

    revision: int


@dataclass(frozen=True, slots=True)
class Created:
    """The session exists; `evicted` ended to make room for it."""

    stored: Stored
    evicted: tuple[str, ...]


def limit_event(operation: str) -> str:
    """The id of the ends that a creation brings about, from its operation id."""
    return f"{operation}-limit"


@dataclass(frozen=True, slots=True)
class EpochChanged:
    """All sessions of the user, or of everybody, were ended while this one was being made."""


@dataclass(frozen=True, slots=True)
class Epochs:
    """What a creation is compared with. Read before credentials are checked.

    Attributes:
        shard: changes when everything in the user's shard is ended.
        user: changes when all the user's sessions are ended; empty for anonymous sessions.
    """

    shard: str
    user: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """Sessions are dead in the store.

    Attributes:
        sids: which; empty when there was none, or when a whole shard was ended.
        nodes: every node listed at that moment, with the end of its lease in Unix seconds. Each
            of them hears of the end, and acknowledges it, even when there was nothing to end: its
            word then covers every earlier end as well.
        earlier: how the session had ended before, if it had.
        replicated: whether as many replicas have the end as were asked for; None if none were.
    """

    sids: tuple[str, ...]
    nodes: Mapping[str, float]
    earlier: Tombstone | None = None
    replicated: bool | None = None


@dataclass(frozen=True, slots=True)
class ListedSession:
    """One entry of a user's list."""

    session: Session
    sockets: int


Loaded = Stored | Tombstone | Missing | Unreadable


class SessionStore(Protocol):
    """Sessions, their index and their ends.

    Attributes:
        shards: how many the store is laid out for.
    """

    shards: int

    def shard_of(self, user: str) -> int:
        """The shard that holds everything of one user."""

    async def load(self, sid: str) -> Loaded:
        """What is known of a session now."""

    async def epochs(self, shard: int, user: str | None) -> Epochs:
        """What a creation that begins now must name."""

    async def create(
        self, session: Session, *, operation: str, user_epoch: str, initiator: str
    ) -> Created | EpochChanged | Tombstone:
        """Write a new session, evicting the user's least recently used ones over the limit."""

    async def save(
        self, session: Session, *, based_on: int, operation: str, event: Event | None = None
    ) -> Saved | Conflict | Tombstone | Missing:
        """Replace the record if it still is at revision `based_on`."""

    async def end(
        self, sid: str, *, user: str | None, end_id: str, reason: Reason, initiator: str
    ) -> Ended:
        """End one session, which may have ended before or be gone."""

    async def end_user(
        self, user: str, *, keep: str | None, end_id: str, reason: Reason, initiator: str
    ) -> Ended:
        """End all sessions of a user but one to keep, and any sign-in that is under way."""

    async def end_shard(self, shard: int, *, end_id: str, reason: Reason, initiator: str) -> Ended:
        """End all sessions of everybody in a shard; the records are swept up later."""

    async def sweep_shard(self, shard: int) -> int:
        """Remove the records that `end_shard` left behind; how many there were."""

    async def list_user(self, user: str) -> Sequence[ListedSession]:
        """The user's live sessions with the sockets that live nodes hold of them."""

    async def users(self) -> Sequence[str]:
        """Everybody with an index. A scan of the whole store, for operators only."""

    async def count_sockets(self, user: str, sid: str, node: str, count: int) -> None:
        """Set how many sockets of the session `node` holds."""


class NodeRegistry(Protocol):
    """Which nodes serve, and until when they may without proving contact again."""

    async def renew(self, node: str) -> None:
        """List the node for one more lease."""

    async def leases(self) -> Mapping[str, float]:
        """The nodes whose lease has not ended by the store's clock, and when it does."""

    async def remove(self, node: str) -> None:
        """Take a node off the list that has stopped serving."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a stream.

    Attributes:
        entry: id of the last entry that was read.
        count: how many entries were ever added up to it. When more than that have been trimmed,
            some were trimmed unread.
    """

    entry: str
    count: int


Positions = Mapping[str, Position]
"""A place in each of the streams that are followed."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one read of the streams brought, in order.

    Attributes:
        events: of the control and message streams.
        acknowledgements: of this node's reply stream.
        positions: where the next read begins.
        is_last: whether the streams had no more than this.
        lost_entries: whether control entries behind the former positions are gone, so that the
            batch does not tell everything: trimmed, or the store lost its data.
        refused: entries that are not acted on, and why.
    """

    events: Sequence[Event]
    acknowledgements: Sequence[Acknowledgement]
    positions: Positions
    is_last: bool
    lost_entries: bool = False
    refused: Sequence[EntryRejection] = ()


class ControlLog(Protocol):
    """The streams that nodes follow by position."""

    async def tail(self) -> Positions:
        """The ends of the streams now."""

    async def read(self, positions: Positions) -> Batch:
        """The entries after `positions`, after a short wait where there are none."""

    async def disconnect(self) -> None:
        """Drop the connection, whatever state it is in; the next read makes another."""

    async def acknowledge(self, initiator: str, acknowledgement: Acknowledgement) -> None:
        """Tell the initiator of some ends that this node has carried them out."""

    async def send(self, message: MessageSent) -> None:
        """Append a message between sockets; at most once."""
