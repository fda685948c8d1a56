"""The way into rooms: the store decides, in one step with everything else in the room."""

import asyncio
import logging
from collections import Counter, defaultdict, deque
from collections.abc import Coroutine, Sequence
from itertools import count, islice
from typing import Final

from server.core.context import NodeContext
from server.core.errors import StoreUnavailable
from server.core.rooms import (
    MAX_ROOMS_OF_SOCKET,
    Admitted,
    EntryMode,
    Member,
    Overtaken,
    RemovedMeanwhile,
    RoomRefusal,
)
from server.realtime.room_here import UNKNOWN, Guest, RoomHere
from server.realtime.rooms_here import RoomsHere
from server.store.room_contract import RoomStore, Turn

log = logging.getLogger("curfew.rooms")

SETTLE: Final = 0.05
"""Seconds in which changed numbers of sockets are collected: a page reload closes and opens one."""
RETRY_AFTER: Final = 0.5
REMEMBERED: Final = 10
"""Leases for which numbers are remembered that a server may lose to another one."""
AT_ONCE: Final = 200
"""Sockets, or sessions, that are asked about in one request."""
ASKED_AT_ONCE: Final = 50
"""Held rooms that the store is asked about at the same time. All are held after a failover."""
OTHER_SERVER: Final = "another server's history"


class RoomEntrance:
    """Lets sockets into rooms, and keeps the store's numbers of them true.

    Args:
        store: the rooms.
        here: the rooms on this node.
        context: this node's id.

    Attributes:
        needed: set as soon as this node has anything to do with rooms.
    """

    def __init__(self, store: RoomStore, here: RoomsHere, context: NodeContext) -> None:
        self._store = store
        self._here = here
        self._node = context.node
        self._numbers = count(1)
        self._arrived: dict[str, Guest] = {}
        self._changed: defaultdict[str, set[Member]] = defaultdict(set)
        self._counted: deque[defaultdict[str, set[Member]]] = deque(maxlen=REMEMBERED)
        self.age()
        self._tasks: set[asyncio.Task[None]] = set()
        self._letting_in = self._counting = False
        self._asked: set[RoomHere] = set()
        self._turns = asyncio.Semaphore(ASKED_AT_ONCE)
        self.needed = asyncio.Event()
        here.on_left = self._left
        here.on_gap = self._ask_again
        here.on_move = self.count_again

    async def enter(
        self,
        name: str,
        guests: Sequence[Guest],
        mode: EntryMode,
        *,
        removals: int = 0,
        replays: bool = False,
    ) -> dict[str, Admitted] | RemovedMeanwhile | RoomRefusal:
        """Let sockets into a room.

        Args:
            name: of the room.
            guests: the sockets.
            mode: what lets them in.
            removals: how often somebody had been removed before the check.
            replays: whether messages from before come first.

        Returns:
            The store's answer for each socket that is in now, by id.

        Raises:
            StoreUnavailable: it is not known whether they are in.
        """
        self.needed.set()
        room = self._here.open(name)
        room.entering.append(guests)
        changed = {each.member for each in guests}
        try:
            entered = await self._enter(room, guests, mode, removals, replays=replays)
            if entered is RoomRefusal.UNKNOWN:  # there is nothing to be counted in
                changed.clear()
            return entered
        finally:
            room.has_entered(guests)
            self._changed[name] |= changed
            self._count_soon()

    def arrive(self, guest: Guest) -> None:
        """Let a socket that opened into the rooms to which the server has added it."""
        self._arrived[guest.id] = guest
        if not self._letting_in:
            self._letting_in = True
            self._spawn(self._let_in())

    def grant(self, name: str, guests: Sequence[Guest]) -> None:
        """Let sockets into a room to which the server has just added them."""
        if guests:
            self._spawn(self._let_in_granted(name, guests))

    def age(self) -> None:
        """Note that a lease has passed, and forget the oldest numbers."""
        self._counted.append(defaultdict(set))

    def count_again(self) -> None:
        """Tell the store its latest numbers again: a server that took over may lack them."""
        for counted in self._counted:
            for name, members in counted.items():
                self._here.open(name)
                self._changed[name] |= members
            self._count_soon()

    def close(self) -> None:
        """Cancel what would still run by itself."""
        for task in self._tasks:
            task.cancel()

    def _left(self, room: RoomHere, member: Member) -> None:
        self._changed[room.name].add(member)
        self._count_soon()

    async def _enter(
        self,
        room: RoomHere,
        guests: Sequence[Guest],
        mode: EntryMode,
        removals: int,
        *,
        replays: bool,
    ) -> dict[str, Admitted] | RemovedMeanwhile | RoomRefusal:
        counts = room.members()
        members = {each.member: counts[each.member] for each in guests}
        turn = Turn(self._node, next(self._numbers))
        entered = await self._store.enter(room.name, turn, mode, members, removals)
        if isinstance(entered, Overtaken):
            return await self._enter(room, guests, mode, removals, replays=replays)
        if not isinstance(entered, Admitted):
            return entered
        if not self._here.is_ours(room, entered):
            raise StoreUnavailable("enter", OTHER_SERVER)
        if mode is not EntryMode.AGAIN and room.life not in {UNKNOWN, entered.life}:
            # One of the two lives of the room is over; the latest answer says which.
            return await self._enter(room, guests, EntryMode.AGAIN, 0, replays=replays)
        room.start_from(entered)
        if not room.places and not await self._here.go_on(room, entered, list(members)):
            raise StoreUnavailable("enter", "too much happens in the room")
        if room.places and (entered.life != room.life or not entered.listened):
            room.hold(is_broken=True)
            self._ask_again(room)
        if entered.number < room.floor:  # an answer that came late: what followed it is gone
            return await self._enter(room, guests, EntryMode.AGAIN, 0, replays=replays)
        is_in = dict(zip(members, entered.is_in, strict=True))
        return {
            guest.id: entered
            for guest in guests
            if guest.is_up
            and is_in[guest.member]
            and guest.id not in room.places
            and self._here.rooms_of(guest) < MAX_ROOMS_OF_SOCKET
            and self._here.admit(room, guest, entered, replays=replays)
        }

    async def _let_in(self) -> None:
        try:
            while self._arrived:
                ids = list(islice(self._arrived, AT_ONCE))
                guests = [self._arrived[each] for each in ids]
                try:
                    await self._let_in_some([each for each in guests if each.is_up])
                except StoreUnavailable:
                    for each in ids:  # others have their turn: a cluster may have lost one shard
                        self._arrived[each] = self._arrived.pop(each)
                    await asyncio.sleep(RETRY_AFTER)
                else:
                    for each in ids:
                        self._arrived.pop(each, None)
        finally:
            self._letting_in = False

    async def _let_in_granted(self, name: str, guests: Sequence[Guest]) -> None:
        while up := [each for each in guests if each.is_up]:
            try:
                await self.enter(name, up, EntryMode.GRANTED)
            except StoreUnavailable:
                await asyncio.sleep(RETRY_AFTER)
            else:
                return

    async def _let_in_some(self, guests: Sequence[Guest]) -> None:
        found = await self._store.rooms_of([each.member for each in guests]) if guests else []
        by_room: defaultdict[str, list[Guest]] = defaultdict(list)
        for guest, names in zip(guests, found, strict=True):
            for name in names:
                by_room[name].append(guest)
        failure: StoreUnavailable | None = None
        for name, some in by_room.items():
            try:
                await self.enter(name, some, EntryMode.GRANTED)
            except StoreUnavailable as error:  # of one room; others may be in another shard
                failure = error
        if failure is not None:
            raise failure

    def _count_soon(self) -> None:
        if not self._counting:
            self._counting = True
            self._spawn(self._count())

    async def _count(self) -> None:
        try:
            while self._changed:
                await asyncio.sleep(SETTLE)
                try:
                    await self._count_changed()
                except StoreUnavailable:
                    await asyncio.sleep(RETRY_AFTER)
        finally:
            self._counting = False

    async def _count_changed(self) -> None:
        for name in list(self._changed):
            members = self._changed.pop(name)
            room = self._here.get(name)
            if room is None:
                continue
            if not room.is_used:
                self._here.close(room)
            if not members:
                continue
            counts, turn = room.members(), Turn(self._node, next(self._numbers))
            now = {each: counts[each] for each in members}
            self._counted[-1][name] |= members
            has_counted = False
            try:
                has_counted = await self._store.count(name, turn, now, listens=room.is_used)
            finally:
                if not has_counted:
                    self._here.open(name)
                    self._changed[name].update(members)

    def _ask_again(self, room: RoomHere) -> None:
        if room not in self._asked:
            self._asked.add(room)
            self._spawn(self._find_out(room))

    async def _find_out(self, room: RoomHere) -> None:
        """Ask the store who is still in a room that is held, until it has answered."""
        try:
            while room.is_held and room.places:
                async with self._turns:
                    has_found_out = await self._has_found_out(room)
                if not has_found_out:
                    await asyncio.sleep(RETRY_AFTER)
        finally:
            self._asked.discard(room)

    async def _has_found_out(self, room: RoomHere) -> bool:
        members: Counter[Member] = room.members()
        turn = Turn(self._node, next(self._numbers))
        try:
            entered = await self._store.enter(room.name, turn, EntryMode.AGAIN, members)
        except StoreUnavailable as error:
            log.warning("a room is held: %s", error)
            return False
        if isinstance(entered, RoomRefusal):
            for place in list(room.places.values()):
                self._here.leave(room, place.guest, "deleted")
            return True
        if isinstance(entered, Overtaken):
            return await self._has_found_out(room)
        if not isinstance(entered, Admitted):
            return False
        return await self._here.go_on(room, entered, list(members))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
