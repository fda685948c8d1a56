"""Reads what happens in the rooms that this node has sockets in, from streams of its own.

The scripts copy each entry to the inbox of every node that listens to the room. So a node reads a
few streams however many rooms there are, and nothing of rooms in which nobody here is.

An inbox may lose entries. It does no harm: everything in a room is numbered, so the node sees that
a number is missing, and asks the store anew before it delivers what follows.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, Final

from redis.asyncio import Redis

from server.core.durations import milliseconds
from server.core.errors import StoreMoved, StoreUnavailable
from server.core.room_entries import (
    RoomDeleted,
    RoomEntry,
    RoomMessage,
    RoomPresence,
    RoomRemoval,
)
from server.store.connection import execute_once, replies_of
from server.store.control_log import (
    BEGINNING,
    end_of,
    entries_of,
    history_of,
    is_another,
    is_other_history,
    text_of,
)
from server.store.information import INFO
from server.store.master import leads_elsewhere
from server.store.names import ShardNames
from server.store.room_contract import Acknowledged, RoomBatch
from server.store.stream_contract import Position, Positions

ENTRIES_PER_READ: Final = 100
"""Of each stream."""


class RoomInbox:
    """Implements `RoomReader`: reads the inbox of one node.

    Args:
        reader: a client of its own for the blocking reads.
        node: whose inbox.
        shards: how many shards the store has.
        block: how long a read waits if there is nothing new.
        only: the shard of a cluster to read, where one command cannot read several; None for all.
    """

    def __init__(
        self,
        reader: Redis,
        node: str,
        shards: int,
        block: timedelta,
        *,
        only: int | None = None,
    ) -> None:
        self._reader = reader
        followed = range(shards) if only is None else [only]
        self._names = [ShardNames(shard).inbox(node) for shard in followed]
        self._block_ms = milliseconds(block)
        self._has_failed = True

    async def read(self, positions: Positions) -> RoomBatch:
        """See `RoomReader`. The first read, and one after a failure, waits for nothing."""
        try:
            batch = await self._read(positions or dict.fromkeys(self._names, BEGINNING))
        except StoreUnavailable:
            self._has_failed = True
            raise
        self._has_failed = False
        return batch

    async def disconnect(self) -> None:
        """See `RoomReader`."""
        await self._reader.connection_pool.disconnect(inuse_connections=True)

    async def _read(self, positions: Positions) -> RoomBatch:
        pipeline = self._reader.pipeline(transaction=False)
        after = {name: position.entry for name, position in positions.items()}
        block_ms = None if self._has_failed else self._block_ms
        pipeline.xread(after, count=ENTRIES_PER_READ, block=block_ms)  # type: ignore[arg-type]  # invariant
        pipeline.execute_command(INFO, "replication")
        for name in self._names:
            pipeline.xinfo_stream(name)
        streams, told, *infos = await execute_once("follow rooms", partial(replies_of, pipeline))
        if isinstance(streams, Exception):
            kind = StoreMoved if leads_elsewhere(streams) else StoreUnavailable
            raise kind("follow rooms", type(streams).__name__) from streams
        found = dict(zip(self._names, infos, strict=True))
        return _batch(positions, streams, history_of(told), found)


def _batch(positions: Positions, streams: Any, history: str, infos: Mapping[str, Any]) -> RoomBatch:
    after, found = dict(positions), []
    if any(is_other_history(history, each) for each in positions.values()):
        beginning = {name: replace(BEGINNING, history=history) for name in positions}
        return RoomBatch((), beginning, history, is_other=True)
    for name, entries in entries_of(streams):
        for entry, fields in entries:
            after[name] = Position(text_of(entry), after[name].count + 1, history)
            if (read := read_entry(fields)) is not None:
                found.append(read)
    for name, info in infos.items():
        end = end_of(info)
        replaced = is_another(end, positions[name])
        after[name] = replace(BEGINNING if replaced else after[name], history=history)
    return RoomBatch(found, after, history)


def read_entry(fields: Mapping[bytes, bytes]) -> RoomEntry | Acknowledged | None:
    """Return what an entry of an inbox says; None if a newer version or a stranger wrote it."""
    try:
        kind = fields[b"kind"]
        if kind == b"ack":
            return _acknowledged(fields)
        what = _KINDS[kind](fields)
        epoch = fields.get(b"epoch", b"").decode()
        return RoomEntry(fields[b"room"].decode(), int(fields[b"seq"]), what, epoch)
    except (KeyError, ValueError):
        return None


def _acknowledged(fields: Mapping[bytes, bytes]) -> Acknowledged:
    node, sent = fields.get(b"node", b"").decode(), fields.get(b"sent")
    sockets = tuple(fields[b"sockets"].decode().split())
    return Acknowledged(fields[b"ack"].decode(), sockets, node, int(sent) if sent else None)


def _message(fields: Mapping[bytes, bytes]) -> RoomMessage:
    mark, node = fields[b"ack"].decode(), fields[b"node"].decode()
    return RoomMessage(int(fields[b"message"]), fields[b"box"], mark, node)


def _removal(fields: Mapping[bytes, bytes]) -> RoomRemoval:
    return RoomRemoval(fields[b"user"].decode(), fields[b"sid"].decode())


def _presence(fields: Mapping[bytes, bytes]) -> RoomPresence:
    kind, _, name = fields[b"person"].decode().partition(" ")
    is_user = kind == "u"
    return RoomPresence(name if is_user else None, "" if is_user else name, fields[b"come"] == b"1")


What = RoomMessage | RoomRemoval | RoomPresence | RoomDeleted

_KINDS: Final[dict[bytes, Callable[[Mapping[bytes, bytes]], What]]] = {
    b"message": _message,
    b"removed": _removal,
    b"presence": _presence,
    b"deleted": lambda _: RoomDeleted(),
}
