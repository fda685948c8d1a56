"""The rooms that sockets on this node are in, and what happens in them."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from server.core import room_frames
from server.core.room_entries import (
    RoomDeleted,
    RoomEntry,
    RoomMessage,
    RoomPresence,
    RoomRemoval,
)
from server.core.room_frames import SharedFrame
from server.core.rooms import (
    Admitted,
    Member,
    digest_of,
    position_of,
)
from server.crypto.sealer import Sealer
from server.realtime.acknowledging import Acknowledging
from server.realtime.room_here import Guest, RoomHere, RoomPlace
from server.store.names import ShardNames

log = logging.getLogger("curfew.rooms")

PURPOSE: Final = "room message 1"

Removed = Callable[[RoomHere, Member], object]
"""Called when a socket of a session is out of a room here."""


class RoomsHere:
    """Applies what happens in rooms to the sockets on this node.

    Args:
        sealer: opens messages, which are bound to their room.
        acknowledging: notes who got something that must be acknowledged.
        inboxes: how many inboxes this node has.

    Attributes:
        histories: of the store's servers that the inboxes are read from, in their order.
        on_left: called when a socket has left a room, whatever the cause.
        on_gap: called with a room that is held, to find out who is still in it.
        on_move: called when another server of the store has taken over.
    """

    def __init__(self, sealer: Sealer, acknowledging: Acknowledging, inboxes: int) -> None:
        self._sealer = sealer
        self._acknowledging = acknowledging
        self._rooms: dict[str, RoomHere] = {}
        self._of_guest: dict[str, dict[str, RoomHere]] = {}
        self._order = asyncio.Lock()
        self.histories = [""] * inboxes
        self.on_left: Removed = lambda _, __: None
        self.on_gap: Callable[[RoomHere], object] = lambda _: None
        self.on_move: Callable[[], object] = lambda: None

    def open(self, name: str) -> RoomHere:
        """Return a room; a new one is held until somebody is let in."""
        digest = digest_of(name)
        return self._rooms.setdefault(digest, RoomHere(name, digest))

    def get(self, name: str) -> RoomHere | None:
        """Return a room, if this node has anything to do with it."""
        return self._rooms.get(digest_of(name))

    def close(self, room: RoomHere) -> None:
        """Forget a room that no socket here is in any more."""
        self._rooms.pop(room.digest, None)

    def rooms(self) -> list[RoomHere]:
        """Return all rooms here."""
        return list(self._rooms.values())

    def find(self, guest: Guest, name: str) -> RoomHere | None:
        """Return a room that a socket is in."""
        return self._of_guest.get(guest.id, {}).get(digest_of(name))

    def rooms_of(self, guest: Guest) -> int:
        """Return how many rooms a socket is in."""
        return len(self._of_guest.get(guest.id, ()))

    def admit(self, room: RoomHere, guest: Guest, entered: Admitted, *, replays: bool) -> bool:
        """Take a socket into a room, from where the store has let it in.

        Args:
            room: the room.
            guest: the socket.
            entered: the store's answer.
            replays: whether messages from before come first; `replayed` ends that.

        Returns:
            False if its session has been removed since.
        """
        missed = room.missed(guest.member, entered.number)
        if missed is None:
            return False
        place = RoomPlace(guest, entered.number, entered.life, [] if replays else None)
        room.places[guest.id] = place
        self._of_guest.setdefault(guest.id, {})[room.digest] = room
        position = position_of(*entered.life, entered.messages)
        guest.send(room_frames.joined(room.name, position))
        for entry in missed:
            if isinstance(entry.what, RoomMessage) and (frame := self._frame(room, entry.what)):
                place.send(frame)
        return True

    def leave(self, room: RoomHere, guest: Guest, reason: str) -> None:
        """Take a socket out of a room; nothing of the room that is queued is sent to it."""
        if room.places.pop(guest.id, None) is None:
            return
        mine = self._of_guest.get(guest.id, {})
        mine.pop(room.digest, None)
        if not mine:
            self._of_guest.pop(guest.id, None)
        guest.drop_topic(room.name)
        guest.send(room_frames.left(room.name, reason))
        self.on_left(room, guest.member)

    def leave_all(self, guest: Guest) -> None:
        """Take a socket that closed out of all rooms."""
        for room in self._of_guest.pop(guest.id, {}).values():
            room.places.pop(guest.id, None)
            self.on_left(room, guest.member)

    def inbox_of(self, room: RoomHere) -> int:
        """Return which inbox tells what happens in a room."""
        return ShardNames.of_room(room.digest, len(self.histories)).shard

    def is_ours(self, room: RoomHere, entered: Admitted) -> bool:
        """Return whether the inbox is read from the server that answered. The first one is ours."""
        inbox = self.inbox_of(room)
        self.histories[inbox] = self.histories[inbox] or entered.history
        return not entered.history or entered.history == self.histories[inbox]

    def hold_all(self) -> None:
        """Hold all rooms until the store has said who is in them."""
        for room in self.rooms():
            room.hold(is_broken=False)
            self.on_gap(room)

    async def move(self, inbox: int, history: str) -> None:
        """Hold the rooms of an inbox that is read from another server from now on."""
        async with self._order:  # nothing of the former server is applied any more
            self.histories[inbox] = history
            for room in self.rooms():
                if self.inbox_of(room) == inbox:
                    room.move()
                    self.on_gap(room)
        self.on_move()

    async def apply(self, entry: RoomEntry) -> None:
        """Apply an entry of the inbox, in the order of its room."""
        async with self._order:
            if room := self._rooms.get(entry.room):
                await self._apply(room, entry)

    async def go_on(self, room: RoomHere, entered: Admitted, asked: list[Member]) -> bool:
        """Go on in a room that was held; return False if the store must be asked once more."""
        async with self._order:
            if not self.is_ours(room, entered):
                return False
            if not entered.listened or entered.life != room.life:
                room.hold(is_broken=True)
            was_broken, position = room.is_broken, room.position
            out = {each for each, is_in in zip(asked, entered.is_in, strict=True) if not is_in}
            reasons = {
                place.guest.id: place.why_out(entered)
                for place in room.places.values()
                if place.guest.member in out
            }
            waiting = room.go_on(entered, asked)
            if waiting is None:
                return False
            for place in list(room.places.values()):
                if reason := reasons.get(place.guest.id):
                    self.leave(room, place.guest, reason)
                elif was_broken and room.position != position:
                    place.guest.send(room_frames.lost(room.name, room.position))
            for entry in waiting:
                await self._apply(room, entry)
        return True

    async def _apply(self, room: RoomHere, entry: RoomEntry) -> None:
        taken = room.take(entry)
        if taken is None:
            self.on_gap(room)
        if not taken:
            return
        match entry.what:
            case RoomMessage() as message:
                await self._deliver(room, entry.number, message)
            case RoomRemoval() as removal:
                self._remove(room, entry.number, removal)
            case RoomPresence(user, session, has_come):
                text = room_frames.presence(room.name, user, session, has_come=has_come)
                await room.send(SharedFrame(text, room.name), entry.number, lambda _: None)
            case RoomDeleted():
                for place in list(room.places.values()):
                    self.leave(room, place.guest, "deleted")

    async def _deliver(self, room: RoomHere, number: int, message: RoomMessage) -> None:
        room.messages = message.message
        frame = self._frame(room, message)
        if frame is None:
            log.warning("a message of a room did not open and was dropped")
            return
        with self._acknowledging.expecting(message.mark, message.publisher, room.name) as sent:
            await room.send(frame, number, sent)

    def _remove(self, room: RoomHere, number: int, removal: RoomRemoval) -> None:
        for place in list(room.places.values()):
            if place.since < number and removal.concerns(place.guest.member):
                self.leave(room, place.guest, "removed")

    def _frame(self, room: RoomHere, message: RoomMessage) -> SharedFrame | None:
        data = self.opened(room.name, message.box)
        if data is None:
            return None
        position = position_of(*room.life, message.message)
        text = room_frames.published(data, room=room.name, position=position, mark=message.mark)
        return SharedFrame(text, room.name)

    def opened(self, name: str, box: bytes) -> str | None:
        """Return the JSON text of a message; None if it is not genuine."""
        found = self._sealer.open(box, purpose=PURPOSE, context=name)
        return found.plaintext.decode("ascii") if found else None


def sealed_for_room(sealer: Sealer, text: str, name: str) -> bytes:
    """Return a message, JSON in ASCII, that opens only in its room."""
    return sealer.seal(text.encode("ascii"), purpose=PURPOSE, context=name)
