"""The control stream, the message stream and the reply streams, read by position.

Pub/sub loses what is sent while a connection is down, without a sign of it. A stream is read from
the last entry that was read, so a reader resumes where its connection broke, and can tell that a
stream was trimmed or reset.

A failover may lose the last entries, and new ones can take their numbers. So a place is good in the
history of one server only. A replica's streams may be behind: they prove nothing.

Ids come from the store's clock, and rise only within one stream. If a stream expired or was lost,
and the clock was set back, the ids of the new stream are below every position in the old one.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, Final

from redis.asyncio import Redis

from server.core.durations import milliseconds
from server.core.errors import StoreMoved, StoreUnavailable
from server.core.events import Acknowledgement, EntryRejection, Event, Message, MessageSent
from server.store.clock import StoreClock
from server.store.connection import execute, execute_once, replies_of
from server.store.entries import Entries, as_mapping
from server.store.information import INFO, MASTER, history_in, role_in
from server.store.master import leads_elsewhere
from server.store.names import ShardNames
from server.store.scripts import Scripts
from server.store.stream_contract import Batch, Position, Positions, always

MAX_MESSAGES: Final = 1_000
"""Kept in each stream, each up to 64 KiB. A node that is further behind was held for long; the
messages for its sockets are lost."""
ENTRIES_PER_READ: Final = 100
"""Of each stream. Forged entries may be large; 100 entries of 1 MiB must still be bearable."""
REPLIES_TTL: Final = timedelta(minutes=1)
BEGINNING: Final = Position("0-0", 0)


class RedisControlLog:
    """Implements `ControlLog`.

    Args:
        reader: a client of its own for the blocking reads.
        writer: the client for everything else.
        scripts: the scripts, on `writer`.
        entries: signs and verifies.
        clock: the store's clock. It is read again when entries seem to be late.
        shards: how many shards to follow.
        node: whose reply stream to follow.
        block: how long a read waits if there is nothing new.
        serves: False follows only the replies: a command that ends sessions serves none.
        only: the shard of a cluster to follow, with the acknowledgements of its own ends; None for
            all shards of a single store, where all acknowledgements are in the first.
    """

    def __init__(
        self,
        reader: Redis,
        writer: Redis,
        scripts: Scripts,
        entries: Entries,
        clock: StoreClock,
        shards: int,
        node: str,
        block: timedelta,
        *,
        serves: bool = True,
        only: int | None = None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._scripts = scripts
        self._entries = entries
        self._clock = clock
        self._shards = shards
        self._count = ENTRIES_PER_READ
        self._has_failed = False
        self._block_ms = milliseconds(block)
        names = [ShardNames(shard) for shard in (range(shards) if only is None else [only])]
        self._replies_to = ShardNames(only or 0).replies
        self._replies = self._replies_to(node)
        self._together = ShardNames(only or 0).acknowledgements
        self._serves = serves
        self._messages = {each.messages for each in names} if serves else set()
        self._control = {each.control for each in names} if serves else set()
        self._followed = [*self._control, *self._messages, self._replies, self._together]

    async def tail(self) -> Positions:
        # Of a node that serves, the first read skips the old acknowledgements for all initiators.
        names = [*self._control, *self._messages] if self._serves else [self._together]
        pipeline = self._writer.pipeline(transaction=False)
        pipeline.execute_command(INFO, "replication")
        for name in names:
            pipeline.xinfo_stream(name)
        told, *infos = await execute("tail", partial(replies_of, pipeline))
        history = history_of(told)
        ends = {name: end_of(info) for name, info in zip(names, infos, strict=True)}
        positions = {self._together: BEGINNING, self._replies: BEGINNING} | ends
        return {name: replace(each, history=history) for name, each in positions.items()}

    async def read(self, positions: Positions, awaits: Callable[[], bool] = always) -> Batch:
        try:
            batch = await self._read(positions, awaits if self._serves else always)
        except StoreUnavailable:
            self._has_failed = True
            self._count = max(1, self._count // 4)  # the reply may be too large to arrive in time
            raise
        self._has_failed = False
        if batch.is_last:
            self._count = ENTRIES_PER_READ
        return batch

    async def _read(self, positions: Positions, awaits: Callable[[], bool]) -> Batch:
        """Read the streams and, in the same round trip, how many entries each has ever had.

        After a failure the first read does not wait for entries: it is the proof that all is well.
        """
        pipeline = self._reader.pipeline(transaction=False)
        unread = self._skipped(awaits)
        after = {name: each.entry for name, each in positions.items() if name not in unread}
        block_ms = None if self._has_failed else self._block_ms
        pipeline.xread(after, count=self._count, block=block_ms)  # type: ignore[arg-type]  # invariant
        pipeline.execute_command(INFO, "replication")
        for name in self._followed:
            pipeline.xinfo_stream(name)
        streams, told, *infos = await execute_once("follow", partial(replies_of, pipeline))
        if isinstance(streams, Exception):
            kind = StoreMoved if leads_elsewhere(streams) else StoreUnavailable
            raise kind("follow", type(streams).__name__) from streams
        history, found = history_of(told), dict(zip(self._followed, infos, strict=True))
        skipped = self._skipped(awaits)
        ends = {name: replace(end_of(found[name]), history=history) for name in skipped}
        positions = {**positions, **ends}
        is_moved = any(is_other_history(history, each) for each in positions.values())
        lost = any(_lost_entries(found[name], positions[name]) for name in self._control)
        restarts = {
            name: BEGINNING
            for name in self._followed
            if name not in self._control and is_another(end_of(found[name]), positions[name])
        }
        ignored = {*restarts, *skipped}
        entries = [each for each in entries_of(streams) if each[0] not in ignored]
        batch = self._batch(positions, entries, history, lost_entries=lost or is_moved)
        if EntryRejection.LATE in batch.refused:
            await self._clock.synchronise()  # they are in time if the clock was set meanwhile
            batch = self._batch(positions, entries, history, lost_entries=lost or is_moved)
        if is_moved and not lost:
            same = {name: replace(each, history=history) for name, each in positions.items()}
            return replace(batch, resume=same | restarts)
        return _restarted(batch, restarts)

    async def disconnect(self) -> None:
        await self._reader.connection_pool.disconnect(inuse_connections=True)

    async def acknowledge(self, initiator: str, acknowledgement: Acknowledgement) -> None:
        entry = self._entries.sign_acknowledgement(initiator, acknowledgement)
        args = [milliseconds(REPLIES_TTL), *entry]
        await self._scripts.run("acknowledge", [self._replies_to(initiator)], args)

    async def acknowledge_together(self, acknowledgement: Acknowledgement) -> None:
        entry = self._entries.sign_acknowledgement(None, acknowledgement)
        args = [milliseconds(REPLIES_TTL), *entry]
        await self._scripts.run("acknowledge", [self._together], args)

    async def send(self, message: Message) -> None:
        sid = "" if isinstance(message, MessageSent) else message.sid
        user = ShardNames.of_user(message.user, self._shards)
        name = (ShardNames.of_session(sid) if sid else user).messages
        fields = as_mapping(self._entries.sign(message))
        await execute_once("send", lambda: self._writer.xadd(name, fields, maxlen=MAX_MESSAGES))  # type: ignore[arg-type]

    def _skipped(self, awaits: Callable[[], bool]) -> Sequence[str]:
        """Return what need not be read now: acknowledgements that nobody here waits for.

        Who begins to wait later waits for what is appended later, so the read may go on at the end
        of that stream. Who has begun while a read ran may wait for what it left out: the position
        stays, and the next read begins there.
        """
        return () if awaits() else (self._together,)

    def _batch(
        self,
        positions: Positions,
        streams: Sequence[tuple[str, Sequence[Any]]],
        history: str,
        *,
        lost_entries: bool,
    ) -> Batch:
        found = [
            self._entries.read(text_of(entry), fields)
            for _, entries in streams
            for entry, fields in entries
        ]
        after = dict(positions)
        for name, entries in streams:
            count = positions[name].count + len(entries)
            after[name] = Position(text_of(entries[-1][0]), count, history)
        full = [name for name, entries in streams if len(entries) >= self._count]
        return Batch(
            events=[each for each in found if isinstance(each, Event)],
            acknowledgements=[each for each in found if isinstance(each, Acknowledgement)],
            positions=after,
            is_last=not any(name != self._together for name in full),
            has_more=self._together in full,
            lost_entries=lost_entries,
            refused=[each for each in found if isinstance(each, EntryRejection)],
        )


def entries_of(reply: Any) -> list[tuple[str, Sequence[Any]]]:
    """Return XREAD's reply as pairs; its shape differs between RESP2 and RESP3 (a mapping)."""
    if not reply:
        return []
    streams: Iterable[Any] = reply.items() if isinstance(reply, dict) else reply
    return [(text_of(name), _flat(entries)) for name, entries in streams]


def _flat(entries: Sequence[Any]) -> Sequence[Any]:
    return entries[0] if len(entries) == 1 and isinstance(entries[0], list) else entries


def text_of(value: str | bytes) -> str:
    """Return the id of an entry, or a name, as text."""
    return value.decode() if isinstance(value, bytes) else value


def history_of(told: Any) -> str:
    """Return which history the server has, from INFO's reply; empty if it does not tell.

    Raises:
        StoreMoved: the server is a replica, and may be behind.
    """
    if not isinstance(told, bytes):
        return ""
    if (role_in(told) or MASTER) != MASTER:
        raise StoreMoved("follow", "ReadOnlyError")
    return history_in(told)


def is_other_history(history: str, position: Position) -> bool:
    """Return whether `position` is a place in another history; unknown ones count as the same."""
    return bool(history and position.history) and history != position.history


def end_of(info: Any) -> Position:
    """Return the end of a stream from XINFO's reply; a stream that does not exist is empty.

    Raises:
        StoreUnavailable: the reply is another error.
    """
    if isinstance(info, Exception):
        if "no such key" in str(info):
            return BEGINNING
        raise StoreUnavailable("follow", type(info).__name__) from info
    return Position(text_of(info["last-generated-id"]), int(info["entries-added"]))


def _lost_entries(info: Any, position: Position) -> bool:
    """Return whether the stream lost entries after `position`, or was replaced by another one."""
    end = end_of(info)
    trimmed = end.count - (0 if end is BEGINNING else int(info["length"]))
    return is_another(end, position) or trimmed > position.count


def is_another(end: Position, position: Position) -> bool:
    """Return whether a stream that ends here replaced the one in which `position` was."""
    return end.count < position.count or _order(end.entry) < _order(position.entry)


def _restarted(batch: Batch, restarts: Positions) -> Batch:
    """Return a batch after which some streams are read from other positions."""
    if not restarts:
        return batch
    return replace(batch, positions={**batch.positions, **restarts}, is_last=False)


def _order(entry: str) -> tuple[int, int]:
    time_ms, _, sequence = entry.partition("-")
    return int(time_ms), int(sequence)
