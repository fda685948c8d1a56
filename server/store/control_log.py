"""The control stream, the message stream and the reply streams, read by position.

Pub/sub loses what is sent while a link is down and says nothing. A stream is read from the last
entry that was seen, so a cut link resumes where it stopped, and a trimmed or reset stream shows.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

from redis.asyncio import Redis

from server.core.errors import StoreUnavailable
from server.core.events import Acknowledgement, EntryRejection, Event, MessageSent
from server.store.connection import ask, ask_once
from server.store.contract import Batch, Position, Positions
from server.store.entries import Entries, in_pairs
from server.store.names import ShardNames, shard_of_user
from server.store.scripts import Scripts

MESSAGES_KEPT: Final = 1_000
"""Of 64 KiB at most each; a node that is further behind has been held for long, and lost them."""
ENTRIES_PER_READ: Final = 100
"""Of a stream. Entries of others may be large: so many of 1 MiB must be borne."""
REPLIES_TTL_MS: Final = 60_000
BEGINNING: Final = Position("0-0", 0)


class RedisControlLog:
    """Implements `ControlLog`.

    Args:
        reader: a client of its own, for the blocking reads.
        writer: the client for everything else.
        scripts: run on that client.
        entries: signs and verifies.
        shards: how many shards to follow.
        node: whose reply stream to follow.
        block: how long a read waits where there is nothing new.
        serves: False follows only replies: a command that ends sessions serves none.
    """

    def __init__(
        self,
        reader: Redis,
        writer: Redis,
        scripts: Scripts,
        entries: Entries,
        shards: int,
        node: str,
        block: timedelta,
        *,
        serves: bool = True,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._scripts = scripts
        self._entries = entries
        self._shards = shards
        self._count = ENTRIES_PER_READ
        self._block_ms = int(block / timedelta(milliseconds=1))
        names = [ShardNames(shard) for shard in range(shards)]
        self._replies = _replies(node)
        self._messages = {each.messages for each in names} if serves else set()
        self._control = {each.control for each in names} if serves else set()

    async def tail(self) -> Positions:
        ends = {name: await self._end_of(name) for name in self._control | self._messages}
        return ends | {self._replies: BEGINNING}

    async def read(self, positions: Positions) -> Batch:
        """One command more tells whether entries are gone that were never read."""
        try:
            batch = await self._read(positions)
        except StoreUnavailable:
            self._count = max(1, self._count // 4)  # a reply may be too large to come in time
            raise
        if batch.is_last:
            self._count = ENTRIES_PER_READ
        return batch

    async def _read(self, positions: Positions) -> Batch:
        pipeline = self._reader.pipeline(transaction=False)
        entries = {name: position.entry for name, position in positions.items()}
        pipeline.xread(entries, count=self._count, block=self._block_ms)  # type: ignore[arg-type]  # invariant
        for name in self._control:
            pipeline.xinfo_stream(name)
        streams, *infos = await ask_once("follow", partial(pipeline.execute, raise_on_error=False))
        if isinstance(streams, Exception):
            raise StoreUnavailable("follow", type(streams).__name__) from streams
        lost = any(
            _lost_entries(info, positions[name])
            for name, info in zip(self._control, infos, strict=True)
        )
        return self._batch(positions, _streams(streams), lost_entries=lost)

    async def disconnect(self) -> None:
        await self._reader.connection_pool.disconnect(inuse_connections=True)

    async def acknowledge(self, initiator: str, acknowledgement: Acknowledgement) -> None:
        entry = self._entries.of_acknowledgement(initiator, acknowledgement)
        await self._scripts.run("acknowledge", [_replies(initiator)], [REPLIES_TTL_MS, *entry])

    async def send(self, message: MessageSent) -> None:
        name = ShardNames(shard_of_user(message.user, self._shards)).messages
        fields = dict(in_pairs(self._entries.of(message)))
        await ask_once("send", lambda: self._writer.xadd(name, fields, maxlen=MESSAGES_KEPT))  # type: ignore[arg-type]

    async def _end_of(self, name: str) -> Position:
        pipeline = self._writer.pipeline(transaction=False)
        pipeline.xinfo_stream(name)
        (info,) = await ask("tail", partial(pipeline.execute, raise_on_error=False))
        return _end(info)

    def _batch(
        self,
        positions: Positions,
        streams: Sequence[tuple[str, Sequence[Any]]],
        *,
        lost_entries: bool,
    ) -> Batch:
        found = [
            self._entries.read(_text(entry), fields)
            for _, entries in streams
            for entry, fields in entries
        ]
        after = dict(positions)
        for name, entries in streams:
            count = positions[name].count + len(entries)
            after[name] = Position(_text(entries[-1][0]), count)
        is_last = all(len(entries) < self._count for _, entries in streams)
        return Batch(
            events=[each for each in found if isinstance(each, Event)],
            acknowledgements=[each for each in found if isinstance(each, Acknowledgement)],
            positions=after,
            is_last=is_last,
            lost_entries=lost_entries,
            refused=[each for each in found if isinstance(each, EntryRejection)],
        )


def _replies(node: str) -> str:
    return ShardNames(0).replies(node)


def _streams(reply: Any) -> list[tuple[str, Sequence[Any]]]:
    """XREAD's reply, whose shape differs between RESP2 (pairs) and RESP3 (a mapping)."""
    if not reply:
        return []
    pairs: Iterable[Any] = reply.items() if isinstance(reply, dict) else reply
    return [(_text(name), _flat(entries)) for name, entries in pairs]


def _flat(entries: Sequence[Any]) -> Sequence[Any]:
    return entries[0] if len(entries) == 1 and isinstance(entries[0], list) else entries


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _end(info: Any) -> Position:
    """The end of a stream, from XINFO's reply; a stream that does not exist is an empty one.

    Raises:
        StoreUnavailable: the reply is an error of another kind.
    """
    if isinstance(info, Exception):
        if "no such key" in str(info):
            return BEGINNING
        raise StoreUnavailable("follow", type(info).__name__) from info
    return Position(_text(info["last-generated-id"]), int(info["entries-added"]))


def _lost_entries(info: Any, position: Position) -> bool:
    """Whether the stream lost entries behind `position`, or is another one."""
    end = _end(info)
    trimmed = end.count - (0 if end is BEGINNING else int(info["length"]))
    is_another = end.count < position.count or _order(end.entry) < _order(position.entry)
    return is_another or trimmed > position.count


def _order(entry: str) -> tuple[int, int]:
    milliseconds, _, sequence = entry.partition("-")
    return int(milliseconds), int(sequence)
