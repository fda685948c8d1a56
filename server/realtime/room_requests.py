"""What clients ask about rooms: to join, to leave, who is there, what they missed."""

from collections.abc import Awaitable, Callable
from typing import Final

from server.core import room_frames
from server.core.errors import StoreUnavailable
from server.core.messages import BadFrame, error
from server.core.room_frames import (
    AcknowledgeFrame,
    JoinFrame,
    LeaveFrame,
    PresenceFrame,
    RoomFrame,
    SharedFrame,
)
from server.core.rooms import (
    MAX_ROOMS_OF_SOCKET,
    Admitted,
    EntryMode,
    RemovedMeanwhile,
    RoomRefusal,
    flaw_of_name,
    message_after,
    position_of,
)
from server.core.session import Json
from server.realtime.acknowledging import Acknowledging
from server.realtime.room_entrance import RoomEntrance
from server.realtime.room_here import Guest, RoomHere
from server.realtime.rooms_here import RoomsHere
from server.store.room_contract import Kept, RoomStore

TRIES: Final = 3
"""Checks for one request, if others are removed from the room meanwhile."""
REPLAYED_BYTES: Final = 512 * 1024
"""The most that is replayed: half of what may wait for a slow reader."""

MayJoin = Callable[[str], Awaitable[bool]]
"""The application's check, for the session of the socket that asks."""


class RoomRequests:
    """Answers the frames of rooms.

    Args:
        store: the rooms.
        here: the rooms on this node.
        entrance: lets sockets in.
        acknowledging: takes acknowledgements.

    Attributes:
        acknowledging: the same.
        entrance: the same.
    """

    def __init__(
        self,
        store: RoomStore,
        here: RoomsHere,
        entrance: RoomEntrance,
        acknowledging: Acknowledging,
    ) -> None:
        self._store = store
        self._here = here
        self.acknowledging = acknowledging
        self.entrance = entrance

    async def receive(self, guest: Guest, frame: RoomFrame, may_join: MayJoin) -> None:
        """Do what a frame asks for.

        Raises:
            StoreUnavailable: it is not known whether it was done.
        """
        match frame:
            case AcknowledgeFrame(mark):
                if not self.acknowledging.acknowledge(mark, guest.id):
                    guest.send(error(room_frames.UNKNOWN_MARK))
            case JoinFrame(str(room), after) if not flaw_of_name(room):
                await self._join(guest, room, after, may_join)
            case LeaveFrame(str(room)) if not flaw_of_name(room):
                self._leave(guest, room)
            case PresenceFrame(str(room)) if not flaw_of_name(room):
                await self._tell_presence(guest, room)
            case JoinFrame() | LeaveFrame() | PresenceFrame():
                _refuse(guest, None, RoomRefusal.BAD_NAME)

    def closed(self, guest: Guest) -> None:
        """Take a socket that closed out of all rooms."""
        self._here.leave_all(guest)

    async def _join(self, guest: Guest, name: str, after: str | None, may_join: MayJoin) -> None:
        room = self._here.find(guest, name)
        if room is not None:
            _join_again(guest, room, after)
            return
        if self._here.rooms_of(guest) >= MAX_ROOMS_OF_SOCKET:
            _refuse(guest, name, RoomRefusal.TOO_MANY_ROOMS)
            return
        entered = await self._enter(guest, name, may_join, replays=after is not None)
        if isinstance(entered, RoomRefusal):
            _refuse(guest, name, entered)
        elif after is not None:
            await self._replay(guest, name, entered, after)

    async def _enter(
        self, guest: Guest, name: str, may_join: MayJoin, *, replays: bool
    ) -> Admitted | RoomRefusal:
        granted = await self.entrance.enter(name, [guest], EntryMode.GRANTED, replays=replays)
        if isinstance(granted, RoomRefusal):
            return granted
        if isinstance(granted, dict) and guest.id in granted:
            return granted[guest.id]
        for _ in range(TRIES):
            removals = await self._store.removals(name)
            if isinstance(removals, RoomRefusal):
                return removals
            if not await may_join(name):
                return RoomRefusal.NOT_A_MEMBER
            entered = await self.entrance.enter(
                name, [guest], EntryMode.CHECKED, removals=removals, replays=replays
            )
            if isinstance(entered, RemovedMeanwhile):
                continue
            if isinstance(entered, RoomRefusal):
                return entered
            return entered.get(guest.id, RoomRefusal.BUSY)
        return RoomRefusal.BUSY

    def _leave(self, guest: Guest, name: str) -> None:
        room = self._here.find(guest, name)
        if room is None:
            _refuse(guest, name, RoomRefusal.NOT_A_MEMBER)
        else:
            self._here.leave(room, guest, "left")

    async def _tell_presence(self, guest: Guest, name: str) -> None:
        if self._here.find(guest, name) is None:
            _refuse(guest, name, RoomRefusal.NOT_A_MEMBER)
            return
        found = await self._store.present(name)
        if isinstance(found, RoomRefusal):
            _refuse(guest, name, found)
        elif self._here.find(guest, name) is not None:  # it may have been removed meanwhile
            people: list[Json] = [
                {"user": each.user, "session": each.session or None, "sockets": each.sockets}
                for each in found
            ]
            guest.send(room_frames.present(name, people))

    async def _replay(self, guest: Guest, name: str, entered: Admitted, after: str) -> None:
        """Send what the room has kept behind a position, and then what came meanwhile."""
        room = self._here.find(guest, name)
        place = room.places.get(guest.id) if room else None
        if room is None or place is None:
            return
        try:
            start = message_after(after, *entered.life)
            found = await self._missed(name, entered, start)
            if room.places.get(guest.id) is place:  # it may have left meanwhile, or been removed
                _send_missed(guest, name, entered, start, found)
        finally:
            backlog, place.backlog = place.backlog or [], None
            for frame in backlog if room.places.get(guest.id) is place else ():
                guest.send_shared(frame)

    async def _missed(
        self, name: str, entered: Admitted, start: int | None
    ) -> list[tuple[int, str]]:
        """Return what the room has kept behind a message; nothing if the store does not answer."""
        if start is None or start >= entered.messages:
            return []
        try:
            return self._opened(name, entered, await self._store.kept(name, start))
        except StoreUnavailable:
            return []

    def _opened(
        self, name: str, entered: Admitted, kept: Kept | RoomRefusal
    ) -> list[tuple[int, str]]:
        """Return the latest kept messages up to the entrance, as many as fit, in order."""
        if isinstance(kept, RoomRefusal) or (kept.history, kept.epoch) != entered.life:
            return []
        found: list[tuple[int, str]] = []
        size = 0
        for number, box in reversed(kept.messages):
            if number > entered.messages:
                continue
            size += len(box)
            data = self._here.opened(name, box)
            if data is None or size > REPLAYED_BYTES:
                break
            found.append((number, data))
        return found[::-1]


def _join_again(guest: Guest, room: RoomHere, after: str | None) -> None:
    """Answer a socket that is in the room. What it missed cannot come in order any more."""
    guest.send(room_frames.joined(room.name, room.position))
    if after is not None:
        complete = after == room.position
        guest.send(room_frames.replayed(room.name, room.position, complete=complete))


def _send_missed(
    guest: Guest,
    name: str,
    entered: Admitted,
    start: int | None,
    found: list[tuple[int, str]],
) -> None:
    for number, data in found:
        position = position_of(*entered.life, number)
        text = room_frames.published(data, room=name, position=position, replayed=True)
        guest.send_shared(SharedFrame(text, name))
    complete = start is not None and len(found) == entered.messages - start
    position = position_of(*entered.life, entered.messages)
    guest.send(room_frames.replayed(name, position, complete=complete))


def _refuse(guest: Guest, name: str | None, why: RoomRefusal) -> None:
    if name is None:
        guest.send(error(BadFrame(why.value, room_frames.DETAILS[why])))
    else:
        guest.send(room_frames.refusal(name, why))
