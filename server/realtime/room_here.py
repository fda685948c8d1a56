"""One room as this node has it: its sockets here, and how far the node has come in its order.

A removal and a message are both entries in the order of the room. The store gives each entry the
next number, in the step that makes the change, and each node applies them in this order. So what
was published after a removal cannot reach the removed on any node, however late the node is.

A number that is missing may have been a removal. From there on the room is *held*: entries wait
until the store has said who is still in. The same holds for numbers of another life of the room.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from server.core.room_entries import (
    RoomDeleted,
    RoomEntry,
    RoomMessage,
    RoomRemoval,
)
from server.core.room_frames import SharedFrame
from server.core.rooms import (
    Admitted,
    Member,
    RoomLife,
    position_of,
)

UNKNOWN: Final = RoomLife("", "")
AT_ONCE: Final = 100
"""Sockets that get a message before others have their turn."""
MAX_WAITING: Final = 1_000
"""Entries that wait while a room is held. If there are more, the store is asked once more."""


class Guest(Protocol):
    """A socket, as rooms see it.

    Attributes:
        id: its public name.
    """

    id: str

    @property
    def is_up(self) -> bool:
        """Whether it is open, and its session is not known to have ended."""

    @property
    def member(self) -> Member:
        """The session that it belongs to."""

    def send(self, frame: str) -> None:
        """Queue a frame."""

    def send_shared(self, frame: SharedFrame) -> None:
        """Send a frame that other sockets get too."""

    def drop_topic(self, topic: str) -> None:
        """Drop what is queued of a room."""


@dataclass(slots=True)
class RoomPlace:
    """A socket in the room.

    Attributes:
        guest: the socket.
        since: the number in the room from which on it gets what happens.
        life: which numbers that is one of.
        backlog: what waits until the messages from before have been replayed; None if nothing does.
    """

    guest: Guest
    since: int
    life: RoomLife
    backlog: list[SharedFrame] | None = None

    def is_behind(self, entered: Admitted) -> bool:
        """Return whether it is in the room since before an answer of the store."""
        return self.life != entered.life or self.since < entered.number

    def why_out(self, entered: Admitted) -> str:
        """Return why the socket is out of the room, for an answer of the store by which it is.

        A server that took over may lack that it was in, and others may have taken this node for
        gone. Then nobody can say whether it was removed.
        """
        if self.life.history != entered.history or (
            self.life == entered.life and not entered.listened
        ):
            return "unverified"
        return "removed" if self.life == entered.life else "deleted"

    def send(self, frame: SharedFrame) -> None:
        """Send a frame, behind the messages that are being replayed."""
        if self.backlog is None:
            self.guest.send_shared(frame)
        else:
            self.backlog.append(frame)


class RoomHere:
    """The state of a room on this node. Knows neither the store nor what entries mean.

    Args:
        name: of the room.
        digest: of its name.

    Attributes:
        life: what the numbers here belong to, once the store has answered.
        messages: the number of the latest message that was applied.
        places: the sockets in the room, by id.
        entering: the sockets that are being let in, of each request under way.
        floor: the number from which on this node has had every entry.
        is_held: whether entries wait because it is not known who is in.
        is_broken: whether entries are missing, too. What they were is not found out any more.
    """

    def __init__(self, name: str, digest: str) -> None:
        self.name = name
        self.digest = digest
        self.life = UNKNOWN
        self.messages = 0
        self.places: dict[str, RoomPlace] = {}
        self.entering: list[Sequence[Guest]] = []
        self.floor = 0
        self.is_held = self.is_broken = True
        self._number = 0
        self._waiting: list[RoomEntry] = []
        self._lately: list[RoomEntry] = []
        """Applied while somebody was entering, who may have been let in before them."""

    @property
    def is_used(self) -> bool:
        """Whether a socket here is in the room, or asks to be."""
        return bool(self.places or self.entering)

    @property
    def position(self) -> str:
        """The place behind the latest message that was applied."""
        return position_of(*self.life, self.messages)

    def members(self) -> Counter[Member]:
        """Return how many sockets of each session are in the room here, or may be at any moment.

        The store must not be told that a session has none while it lets one in.
        """
        guests = {guest.id: guest for request in self.entering for guest in request}
        guests.update((place.guest.id, place.guest) for place in self.places.values())
        return Counter(guest.member for guest in guests.values())

    def take(self, entry: RoomEntry) -> bool | None:
        """Take the next entry of the inbox.

        Returns:
            True if it is to be applied now, False if not; None if a number is missing: the room is
            held from here on.
        """
        if self.is_held:
            self._waiting.append(entry)
            return False
        is_ours = entry.epoch in {"", self.life.epoch}
        if is_ours and entry.number <= self._number:
            return False
        if not is_ours or entry.number != self._number + 1:
            self.hold(is_broken=True)
            self._waiting.append(entry)
            return None
        self._number = entry.number
        if self.entering:
            self._lately.append(entry)
        return True

    def hold(self, *, is_broken: bool) -> None:
        """Apply nothing until `go_on`.

        Args:
            is_broken: whether entries are missing.
        """
        self.is_held = True
        if is_broken:
            self.is_broken, self.floor = True, 0

    def move(self) -> None:
        """Hold, because another server has taken over: what waits is of the one before."""
        self.hold(is_broken=True)
        self._waiting.clear()

    def start_from(self, entered: Admitted) -> None:
        """Begin anew if nobody is in the room: this node may not have listened."""
        is_later = entered.life != self.life or entered.number > self._number
        if not self.places and (self.is_held or is_later):
            self.hold(is_broken=True)

    def go_on(self, entered: Admitted, asked: Iterable[Member]) -> list[RoomEntry] | None:
        """Go on from where the store has said who is in.

        Args:
            entered: the store's answer.
            asked: the sessions it was asked about.

        Returns:
            The entries that have waited, to be taken again; None if it must be asked once more.
        """
        known = set(asked)
        behind = [place for place in self.places.values() if place.is_behind(entered)]
        waiting, self._waiting = self._waiting, []
        unknown = any(place.guest.member not in known for place in behind)
        if unknown or len(waiting) > MAX_WAITING:
            self.is_broken = self.is_broken or len(waiting) > MAX_WAITING
            return None
        if self.is_broken:
            self.life = entered.life
            self._number = self.floor = entered.number
            self.messages = entered.messages
            self._lately.clear()
            for place in behind:
                place.since, place.life = entered.number, entered.life
        self.is_held = self.is_broken = False
        return [each for each in waiting if each.epoch in {"", entered.epoch}]

    def missed(self, member: Member, since: int) -> list[RoomEntry] | None:
        """Return what was applied behind `since`, for a socket that is let in from there.

        Returns:
            The messages; None if the session was removed behind it, or the room deleted: it must
            stay out.
        """
        entries = [each for each in self._lately if each.number > since]
        for entry in entries:
            match entry.what:
                case RoomRemoval() as removal if removal.concerns(member):
                    return None
                case RoomDeleted():
                    return None
        return [each for each in entries if isinstance(each.what, RoomMessage)]

    def has_entered(self, guests: Sequence[Guest]) -> None:
        """Note that a request to let sockets in has been answered."""
        self.entering.remove(guests)
        if not self.entering:
            self._lately.clear()

    async def send(self, frame: SharedFrame, number: int, sent: Callable[[Guest], object]) -> None:
        """Send a frame to all who are in the room since before a number.

        Args:
            frame: the frame.
            number: of its entry.
            sent: called with each socket.
        """
        for count, place in enumerate(list(self.places.values()), 1):
            if place.since < number and self.places.get(place.guest.id) is place:
                sent(place.guest)
                place.send(frame)
            if count % AT_ONCE == 0:
                await asyncio.sleep(0)
