"""Follows this node's inboxes of rooms, and forgets what nodes that are gone left in rooms."""

import asyncio
import logging
from collections.abc import Collection
from datetime import timedelta
from typing import Final

from server.core.errors import StoreUnavailable
from server.core.room_entries import RoomEntry
from server.realtime.acknowledging import Acknowledging
from server.realtime.room_entrance import RoomEntrance
from server.realtime.rooms_here import RoomsHere
from server.store.room_contract import RoomBatch, RoomReader, RoomStore
from server.store.stream_contract import Positions

log = logging.getLogger("curfew.rooms")

PAUSE: Final = 0.2
"""Seconds between two tries while the store does not answer."""


class RoomFollower:
    """Reads the inboxes as soon as this node has to do with rooms; before, it costs nothing.

    Args:
        store: has the inboxes.
        here: applies what happens in rooms.
        entrance: says when this node needs rooms.
        acknowledging: takes the acknowledgements of other nodes' clients.
        lease: of nodes.
    """

    def __init__(
        self,
        store: RoomStore,
        here: RoomsHere,
        entrance: RoomEntrance,
        acknowledging: Acknowledging,
        lease: timedelta,
    ) -> None:
        self._store = store
        self._here = here
        self._entrance = entrance
        self._acknowledging = acknowledging
        self._lease = lease.total_seconds()

    async def run(self) -> None:
        """Follow until cancelled."""
        await self._entrance.needed.wait()
        async with asyncio.TaskGroup() as group:
            for inbox, reader in enumerate(self._store.inboxes):
                group.create_task(self._follow(inbox, reader))

    async def _follow(self, inbox: int, reader: RoomReader) -> None:
        positions: Positions = {}
        failures = 0
        while True:
            try:
                batch = await reader.read(positions)
                await self._take(inbox, batch)
                positions, failures = batch.positions, 0
            except StoreUnavailable as error:
                if not failures:
                    log.warning("rooms: %s; reading resumes at the same place", error)
                failures += 1
                await reader.disconnect()
                await asyncio.sleep(PAUSE)

    async def run_ghosts(self) -> None:
        """Once in a lease, forget nodes that were gone one lease before too. Until cancelled."""
        await self._entrance.needed.wait()
        gone: Collection[str] = ()
        while True:
            await asyncio.sleep(self._lease)
            self._entrance.age()
            try:
                gone = await self._store.ghosts(gone)
            except StoreUnavailable:
                gone = ()

    async def _take(self, inbox: int, batch: RoomBatch) -> None:
        former = self._here.histories[inbox]
        if batch.is_other or (former and former != batch.history):
            log.warning("another server has taken over: rooms are held until it has answered")
            await self._here.move(inbox, batch.history)
        self._here.histories[inbox] = batch.history
        for entry in batch.entries:
            if isinstance(entry, RoomEntry):
                await self._here.apply(entry)
            else:
                self._acknowledging.arrived(entry)
