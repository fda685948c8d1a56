"""What the engine asks of a store about rooms, and what the store answers.

Every method raises `StoreUnavailable` if the store cannot be reached or does not answer in time.
Repeating a method is safe, except `publish`, which is not repeated.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from server.core.room_entries import RoomEntry
from server.core.rooms import (
    Admitted,
    EntryMode,
    Member,
    Overtaken,
    Present,
    RemovedMeanwhile,
    RoomOptions,
    RoomRefusal,
)
from server.store.stream_contract import Positions


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Clients acknowledged something that this node published.

    Attributes:
        mark: its id.
        connections: the ids of the sockets.
        node: where they are.
        sent: to how many sockets that node has sent it; None while it still does.
    """

    mark: str
    connections: tuple[str, ...]
    node: str = ""
    sent: int | None = None


@dataclass(frozen=True, slots=True)
class RoomBatch:
    """What one read of a node's inbox returned, in order.

    Attributes:
        entries: what happened in rooms, and acknowledgements.
        positions: where the next read begins.
        history: of the server that answered.
        is_other: whether that is another history than before, which may lack what was read.
    """

    entries: Sequence[RoomEntry | Acknowledged]
    positions: Positions
    history: str
    is_other: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """Where a message went.

    Attributes:
        history: of the server that took it.
        epoch: of the room.
        message: its number among the room's messages.
        nodes: which had sockets in the room.
    """

    history: str
    epoch: str
    message: int
    nodes: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """The messages that a room kept after one of them.

    Attributes:
        history: of the server that answered.
        epoch: of the room.
        latest: the number of the latest message.
        messages: numbers and sealed data, in order; not those that are too old, too many, or more
            than some 100 KiB behind the latest.
    """

    history: str
    epoch: str
    latest: int
    messages: Sequence[tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Turn:
    """A place in the order of what one node asks about one room: a late request changes nothing."""

    node: str
    number: int


class RoomReader(Protocol):
    """Reads what happens in the rooms that this node has sockets in."""

    async def read(self, positions: Positions) -> RoomBatch:
        """Return what came into the inbox after `positions`; wait a short time for it."""

    async def disconnect(self) -> None:
        """Drop the reader's connection, whatever its state; the next read opens another."""


class RoomStore(Protocol):
    """Rooms, and each node's inboxes for what happens in the rooms that it has sockets in."""

    @property
    def inboxes(self) -> Sequence[RoomReader]:
        """This node's: one for all shards of a single store, or one for each shard of a cluster."""

    async def create(self, name: str, epoch: str, options: RoomOptions) -> RoomRefusal | None:
        """Make a room, or give one other options."""

    async def delete(self, name: str) -> RoomRefusal | None:
        """Delete a room as it is now, and let its sockets know.

        A request that the store executes late changes nothing in a room that was made again.
        """

    async def add(
        self, name: str, user: str, sid: str, lapses_in_ms: int, removals: int
    ) -> RemovedMeanwhile | RoomRefusal | None:
        """Add a user, or a session if `sid` is given, unless somebody was removed meanwhile.

        Args:
            name: of the room.
            user: the user; empty for a visitor.
            sid: the session; empty for the user.
            lapses_in_ms: after this time the session has ended; 0 for a user.
            removals: what `removals` returned before.
        """

    async def remove(self, name: str, user: str, sid: str) -> RoomRefusal | None:
        """Remove a user with all sessions, or one session if `sid` is given; likewise."""

    async def rooms_of(self, members: Sequence[Member]) -> Sequence[Sequence[str]]:
        """Return the rooms to which the server may have added each session or its user."""

    async def removals(self, name: str) -> int | RoomRefusal:
        """Return a number that grows when somebody is removed from a room, or it is made again."""

    async def enter(
        self,
        name: str,
        turn: Turn,
        mode: EntryMode,
        members: Mapping[Member, int],
        removals: int = 0,
    ) -> Admitted | RemovedMeanwhile | Overtaken | RoomRefusal:
        """Let sessions in, and tell this node what happens in the room from now on.

        Args:
            name: of the room.
            turn: of this request.
            mode: what lets them in.
            members: the sessions, and how many sockets of each are in the room on this node.
            removals: what `removals` returned before the check.
        """

    async def count(
        self, name: str, turn: Turn, members: Mapping[Member, int], *, listens: bool
    ) -> bool:
        """Set how many sockets of some sessions are in the room on this node.

        Args:
            name: of the room.
            turn: of this request.
            members: the sessions and the numbers.
            listens: whether this node still has sockets in the room.

        Returns:
            False if a later request of this node was done before: the numbers may be old.
        """

    async def publish(self, name: str, box: bytes, mark: str, publisher: str) -> Sent | RoomRefusal:
        """Append a message for all nodes with sockets in the room; it is sent once at most."""

    async def kept(self, name: str, after: int) -> Kept | RoomRefusal:
        """Return the messages kept after a number."""

    async def present(self, name: str) -> Sequence[Present] | RoomRefusal:
        """Return who is in a room, on nodes that serve."""

    async def acknowledge(self, name: str, node: str, acknowledged: Acknowledged) -> None:
        """Tell the publisher's node who acknowledged."""

    async def ghosts(self, confirmed: Collection[str]) -> Collection[str]:
        """Forget what nodes that are gone left in rooms.

        Args:
            confirmed: nodes that were found to be gone one lease before.

        Returns:
            The nodes that are not listed, and are still in rooms.
        """
