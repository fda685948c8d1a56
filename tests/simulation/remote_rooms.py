"""Rooms over the link of one node, on servers that follow one another."""

from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

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
from server.store.connection import execute, execute_once
from server.store.control_log import history_of, is_other_history
from server.store.room_contract import Acknowledged, Kept, RoomBatch, RoomReader, Sent, Turn
from server.store.room_store import ANOTHER_LIFE
from server.store.stream_contract import Position, Positions
from tests.simulation.connections import NodeLink
from tests.simulation.network import COMMAND_TIMEOUT, READ_TIMEOUT, Client, Link
from tests.simulation.room_memory import RoomMemory
from tests.simulation.servers import Balancer, Server

T = TypeVar("T")

BLOCK = 0.15
AT_ONCE = 4
"""Entries of one read: so few that reads bring several batches."""


class RemoteRooms:
    """Implements `RoomStore` over the link of one node."""

    def __init__(self, balancer: Balancer, link: Link, node: str, master: NodeLink) -> None:
        self._node = node
        self._commands = Client(balancer, link, master, COMMAND_TIMEOUT)
        self._reader = Client(balancer, link, master, READ_TIMEOUT)

    @property
    def inboxes(self) -> Sequence[RoomReader]:
        """See `RoomStore`."""
        return [self]

    async def create(self, name: str, epoch: str, options: RoomOptions) -> RoomRefusal | None:
        """See the contract."""
        return await self._ask(lambda rooms: rooms.create(name, epoch, options))

    async def delete(self, name: str) -> RoomRefusal | None:
        """See the contract."""
        epoch = await self._ask(lambda rooms: rooms.epoch_of(name))
        if not epoch:
            return RoomRefusal.UNKNOWN
        await self._ask(lambda rooms: rooms.delete(name, epoch))
        return None

    async def add(
        self, name: str, user: str, sid: str, lapses_in_ms: int, removals: int
    ) -> RemovedMeanwhile | RoomRefusal | None:
        """See the contract."""
        return await self._ask(lambda rooms: rooms.add(name, user, sid, lapses_in_ms, removals))

    async def remove(self, name: str, user: str, sid: str) -> RoomRefusal | None:
        """See the contract."""
        found: RoomRefusal | bytes | None = ANOTHER_LIFE
        while isinstance(found, bytes):
            epoch = await self._ask(lambda rooms: rooms.epoch_of(name))
            found = await self._ask(partial(_remove, name, user, sid, epoch))
        return found

    async def rooms_of(self, members: Sequence[Member]) -> Sequence[Sequence[str]]:
        """See the contract."""
        return await self._ask(lambda rooms: rooms.rooms_of(members))

    async def removals(self, name: str) -> int | RoomRefusal:
        """See the contract."""
        return await self._ask(lambda rooms: rooms.removals(name))

    async def enter(
        self,
        name: str,
        turn: Turn,
        mode: EntryMode,
        members: Mapping[Member, int],
        removals: int = 0,
    ) -> Admitted | RemovedMeanwhile | Overtaken | RoomRefusal:
        """See the contract."""
        asked = dict(members)
        return await self._ask(lambda rooms: rooms.enter(name, turn, mode, asked, removals))

    async def count(
        self, name: str, turn: Turn, members: Mapping[Member, int], *, listens: bool
    ) -> bool:
        """See the contract."""
        return await self._ask(lambda rooms: rooms.count(name, turn, members, listens=listens))

    async def publish(self, name: str, box: bytes, mark: str, publisher: str) -> Sent | RoomRefusal:
        """See the contract."""
        request = _on_master(lambda rooms: rooms.publish(name, box, mark, publisher))
        sent: Sent | RoomRefusal = await execute_once(
            "simulated", lambda: self._commands.send(request)
        )
        return sent

    async def kept(self, name: str, after: int) -> Kept | RoomRefusal:
        """See the contract."""
        return await self._ask(lambda rooms: rooms.kept(name, after))

    async def present(self, name: str) -> Sequence[Present] | RoomRefusal:
        """See the contract."""
        return await self._ask(lambda rooms: rooms.present(name))

    async def acknowledge(self, name: str, node: str, acknowledged: Acknowledged) -> None:
        """See the contract."""
        del name
        await self._ask(lambda rooms: rooms.acknowledge(node, acknowledged))

    async def ghosts(self, confirmed: Collection[str]) -> Collection[str]:
        """See the contract."""
        return await self._ask(lambda rooms: rooms.ghosts(confirmed))

    async def read(self, positions: Positions) -> RoomBatch:
        """See the contract. A place in the inbox is the number of entries before it."""
        at = positions.get("inbox", Position("0-0", 0))

        async def read(server: Server) -> RoomBatch:
            if len(server.memory.rooms.inboxes.get(self._node, ())) <= at.count:
                await server.news(BLOCK)
            history = history_of(server.told)
            if is_other_history(history, at):
                return RoomBatch((), {"inbox": Position("0-0", 0, history)}, history, is_other=True)
            inbox = server.memory.rooms.inboxes.get(self._node, [])
            entries = inbox[at.count : at.count + AT_ONCE]
            kept = [each for each in entries if each is not None]  # others were trimmed
            after = Position("0-0", at.count + len(entries), history)
            return RoomBatch(kept, {"inbox": after}, history)

        batch: RoomBatch = await execute_once("simulated", lambda: self._reader.send(read))
        return batch

    async def disconnect(self) -> None:
        """See the contract."""
        self._reader.disconnect()

    async def _ask(self, script: Callable[[RoomMemory], T]) -> T:
        """Run a script with the real client's tries. So it may run twice."""
        found: T = await execute("simulated", lambda: self._commands.send(_on_master(script)))
        return found


def _remove(
    name: str, user: str, sid: str, epoch: str, rooms: RoomMemory
) -> RoomRefusal | bytes | None:
    return rooms.remove(name, user, sid, epoch)


def _on_master(
    script: Callable[[RoomMemory], T],
) -> Callable[[Server], Coroutine[Any, Any, T]]:
    async def request(server: Server) -> T:
        server.require_master()
        server.memory.rooms.history = server.history
        return script(server.memory.rooms)

    return request
