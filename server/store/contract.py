"""What the engine asks of a store, and what the store answers.

Expected outcomes are values. Every method raises `StoreUnavailable` if the store cannot be reached
or does not answer in time. A write that raised may have happened; repeating it with the same
operation id or end id is always safe. Every write first checks that the session exists and has not
ended (P3).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from server.core.events import Event
from server.core.nodes import ListedNode
from server.core.reasons import Reason
from server.core.receipt import Durability
from server.core.session import Session


@dataclass(frozen=True, slots=True)
class Stored:
    """A live record.

    Attributes:
        session: the record.
        revision: counts its writes; a save names the revision that it is based on.
        stale_key: whether it is sealed under an older key and should be written again.
    """

    session: Session
    revision: int
    stale_key: bool = False


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What remains of an ended session, for as long as its cookie could come back."""

    end_id: str
    reason: Reason
    at: float


@dataclass(frozen=True, slots=True)
class Missing:
    """Nothing is known of the session: it never existed, or it expired long ago."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that does not open: edited, copied, or sealed under a retired key."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Another writer was first; nothing was written."""


@dataclass(frozen=True, slots=True)
class NoRoom:
    """Visitors without an account keep as much as they may; nothing was written.

    Attributes:
        wait: when to try again.
    """

    wait: timedelta


@dataclass(frozen=True, slots=True)
class Saved:
    """The record was written.

    Attributes:
        revision: its new revision.
    """

    revision: int


@dataclass(frozen=True, slots=True)
class Created:
    """The session exists.

    Attributes:
        stored: the session.
        evicted: the ids of the sessions that were ended to make room for it.
    """

    stored: Stored
    evicted: tuple[str, ...]


def eviction_id(operation: str) -> str:
    """Return the end id of the sessions that the creation with this operation id evicts."""
    return f"{operation}-limit"


@dataclass(frozen=True, slots=True)
class EpochChanged:
    """All sessions of the user, or of everybody, were ended while this one was being created."""


@dataclass(frozen=True, slots=True)
class Epochs:
    """What a creation is compared with. Read before the credentials are checked.

    Attributes:
        shard: changes when everything in the user's shard is ended.
        user: changes when all the user's sessions are ended; empty for anonymous sessions.
    """

    shard: str
    user: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """The sessions have ended in the store.

    Attributes:
        sids: the sessions; empty if there were none, or if a whole shard was ended.
        shard: where they were.
        nodes: the nodes that were listed at that moment. Each is told of the end and acknowledges
            it, even if there was nothing to end: its acknowledgement then covers all earlier ends.
        earlier: how the session had ended before, if it had.
        replicated: whether as many replicas have the end as were asked for; None if none were.
        durability: what is known of this end on the store's own disk.
    """

    sids: tuple[str, ...]
    shard: int
    nodes: Mapping[str, ListedNode]
    earlier: Tombstone | None = None
    replicated: bool | None = None
    durability: Durability = Durability.UNKNOWN


@dataclass(frozen=True, slots=True)
class ListedSession:
    """One entry of a user's list.

    Attributes:
        session: a live session.
        sockets: how many sockets live nodes hold of it.
    """

    session: Session
    sockets: int


Loaded = Stored | Tombstone | Missing | Unreadable


class SessionStore(Protocol):
    """Sessions, their index and their ends.

    Several methods take the same arguments: `user` is whose session it is, None for an anonymous
    one; `operation` is the id of a write; `end_id` is the id of an end; `initiator` is the node
    that asks for an end, and to which the others acknowledge it.

    Attributes:
        shards: how many shards the store is laid out for.
    """

    shards: int

    def shard_of(self, user: str) -> int:
        """Return the shard that holds everything of one user, or of the visitors of one network."""

    async def load(self, sid: str) -> Loaded:
        """Return what is known of a session now."""

    async def epochs(self, shard: int, user: str | None) -> Epochs:
        """Return the epochs that a creation which begins now must name."""

    async def create(
        self, session: Session, *, operation: str, user_epoch: str, initiator: str
    ) -> Created | EpochChanged | Tombstone | NoRoom:
        """Write a new session, and evict the user's least recently used ones above the limit.

        The shard's epoch in `session` and `user_epoch` are what `epochs` returned before.
        """

    async def save(
        self, session: Session, *, based_on: int, operation: str, event: Event | None = None
    ) -> Saved | Conflict | Tombstone | Missing | NoRoom:
        """Replace the record if it still has revision `based_on`.

        In the same step, append `event` to the control stream.
        """

    async def end_session(
        self, sid: str, *, user: str | None, end_id: str, reason: Reason, initiator: str
    ) -> Ended:
        """End one session, which may have ended before or be gone."""

    async def end_user(
        self, user: str, *, keep: str | None, end_id: str, reason: Reason, initiator: str
    ) -> Ended:
        """End all sessions of a user except `keep`, and every sign-in that is under way."""

    async def end_shard(self, shard: int, *, end_id: str, reason: Reason, initiator: str) -> Ended:
        """End all sessions in a shard. `sweep_shard` removes their records."""

    async def sweep_shard(self, shard: int) -> int:
        """Remove the records that `end_shard` left behind, and return how many there were."""

    async def list_user(self, user: str) -> Sequence[ListedSession]:
        """Return the user's live sessions, with the sockets that live nodes hold of them."""

    async def users(self) -> Sequence[str]:
        """Return everybody with an index. Scans the whole store: for operators only."""

    async def count_sockets(self, user: str, sid: str, node: str, count: int) -> None:
        """Set how many sockets a node holds of a session."""


class NodeRegistry(Protocol):
    """Which nodes may be serving. Each shard has a list.

    A node is on the lists until it has left by itself, or until another one has seen its entry
    unchanged for a whole lease and drops it.
    """

    async def renew(self, node: str, number: int) -> Sequence[Mapping[str, ListedNode]]:
        """List the node for one more lease, and return the list of each shard.

        Args:
            node: the node.
            number: counts the renewals of this process, from 1.
        """

    async def lists(self) -> Sequence[Mapping[str, ListedNode]]:
        """Return the list of each shard."""

    async def leases(self) -> Mapping[str, float]:
        """Return the listed nodes, each with the end of its lease on the store's clock."""

    async def drop(self, shard: int, node: str, listed: ListedNode) -> ListedNode | None:
        """Remove a node from a list, if its entry is still the same.

        Returns:
            The entry that was found, which is `listed` if it was removed; None if there was none.
        """

    async def remove(self, node: str) -> None:
        """Remove a node that has stopped serving."""
