"""The session store on Redis or Valkey: each transition is one atomic script."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

from redis.asyncio import Redis

from server.core.events import Event
from server.core.reasons import Reason
from server.core.session import Rules, Session, deadlines
from server.core.token import shard_of_sid
from server.store.batch import BatchedLoads
from server.store.clock import StoreClock
from server.store.codec import SessionCodec, read_tombstone
from server.store.connection import ask
from server.store.contract import (
    Conflict,
    Created,
    Ended,
    EpochChanged,
    Epochs,
    Listed,
    Loaded,
    Missing,
    Saved,
    Stored,
    Tombstone,
    Unreadable,
    limit_event,
)
from server.store.log import event_fields
from server.store.names import ShardNames, shard_of_user
from server.store.scripts import Scripts

RECORD_KEPT_AFTER_EXPIRY: Final = timedelta(hours=1)
"""So that a person who comes back after lunch is told why, and not only that, it ended."""
ENDS_REMEMBERED: Final = timedelta(days=1)
"""How long an end of many sessions is remembered, against sign-ins that were under way and against
requests that come again: longer than either can take."""

SCANNED_PER_COMMAND: Final = 500


class RedisSessionStore:
    """Implements `SessionStore`."""

    def __init__(
        self,
        client: Redis,
        scripts: Scripts,
        codec: SessionCodec,
        clock: StoreClock,
        rules: Rules,
        shards: int,
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._codec = codec
        self._clock = clock
        self._rules = rules
        self.shards = shards
        self._loads = BatchedLoads(client)

    def shard_of(self, user: str) -> int:
        return shard_of_user(user, self.shards)

    async def load(self, sid: str) -> Loaded:
        raw = await self._loads.load(self._names(sid), sid)
        if raw.tombstone is not None:
            return read_tombstone(raw.tombstone) or Unreadable()
        if raw.value is None:
            return Missing()
        return self._read(raw.value, sid, raw.epoch)

    async def epochs(self, shard: int, user: str | None) -> Epochs:
        names = ShardNames(shard)
        keys = [names.epoch, *([names.user_epoch(user)] if user is not None else [])]
        shard_end, *user_end = await ask("epochs", lambda: self._client.mget(keys))
        return Epochs(_first_word(shard_end), _first_word(user_end[0]) if user_end else "")

    async def create(
        self, session: Session, *, operation: str, user_epoch: str, origin: str
    ) -> Created | EpochChanged | Tombstone:
        names, user = self._names(session.sid), session.user or ""
        reply = await self._scripts.run(
            "create",
            [
                names.session(session.sid),
                names.ended(session.sid),
                names.epoch,
                names.index(user),
                names.user_epoch(user),
                names.control,
            ],
            [
                operation,
                session.sid,
                self._codec.encode(session, revision=1, operation=operation),
                self._record_ttl_ms(session),
                deadlines(session, self._rules).expires_at,
                session.epoch,
                user_epoch,
                self._rules.max_sessions_per_user if session.user else 0,
                names.prefix,
                user,
                limit_event(operation),
                origin,
                self._absolute_ms,
                self._absolute_ms,
            ],
        )
        match reply:
            case [b"created", *evicted]:
                return Created(Stored(session, 1), tuple(sid.decode() for sid in evicted))
            case [b"ended", tombstone]:
                return read_tombstone(tombstone) or EpochChanged()
        return EpochChanged()

    async def save(
        self, session: Session, *, based_on: int, operation: str, event: Event | None = None
    ) -> Saved | Conflict | Tombstone | Missing:
        names, revision = self._names(session.sid), based_on + 1
        reply = await self._scripts.run(
            "save",
            [
                names.session(session.sid),
                names.ended(session.sid),
                names.epoch,
                names.index(session.user or ""),
                names.control,
            ],
            [
                operation,
                based_on,
                self._codec.encode(session, revision=revision, operation=operation),
                self._record_ttl_ms(session),
                deadlines(session, self._rules).expires_at,
                session.sid,
                self._absolute_ms if session.user else 0,
                *(event_fields(event) if event else ()),
            ],
        )
        match reply:
            case [b"saved"]:
                return Saved(revision)
            case [b"conflict"]:
                return Conflict()
            case [b"ended", tombstone]:
                return read_tombstone(tombstone) or Missing()
        return Missing()

    async def end(
        self, sid: str, *, user: str | None, event: str, reason: Reason, origin: str
    ) -> Ended:
        names = self._names(sid)
        (earlier, *nodes), replicated = await self._scripts.end(
            "end_session",
            [
                names.session(sid),
                names.ended(sid),
                names.epoch,
                names.index(user or ""),
                names.control,
                names.nodes,
            ],
            [event, sid, reason.value, origin, user or "", self._absolute_ms],
        )
        if earlier == b"ended":
            return Ended((sid,), _leases(nodes), replicated=replicated)
        return Ended((), _leases(nodes), read_tombstone(earlier), replicated)

    async def end_user(
        self, user: str, *, keep: str | None, event: str, reason: Reason, origin: str
    ) -> Ended:
        names = ShardNames(self.shard_of(user))
        (sids, *nodes), replicated = await self._scripts.end(
            "end_user",
            [
                names.index(user),
                names.user_epoch(user),
                names.control,
                names.nodes,
                names.carried_out(event),
                names.epoch,
            ],
            [
                event,
                reason.value,
                origin,
                user,
                keep or "",
                self._absolute_ms,
                names.prefix,
                _ms(ENDS_REMEMBERED),
            ],
        )
        return Ended(tuple(sids.decode().split()), _leases(nodes), replicated=replicated)

    async def end_shard(self, shard: int, *, event: str, reason: Reason, origin: str) -> Ended:
        names = ShardNames(shard)
        nodes, replicated = await self._scripts.end(
            "end_shard",
            [names.epoch, names.control, names.nodes, names.carried_out(event)],
            [event, reason.value, origin, _ms(ENDS_REMEMBERED)],
        )
        return Ended((), _leases(nodes), replicated=replicated)

    async def sweep_shard(self, shard: int) -> int:
        names, swept = ShardNames(shard), 0
        async for keys in self._scan(names.session("*")):
            swept += await self._scripts.run(
                "sweep", [names.epoch, *keys], [names.prefix, self._absolute_ms]
            )
        return swept

    async def users(self) -> Sequence[str]:
        found: set[str] = set()
        for shard in range(self.shards):
            names = ShardNames(shard)
            async for keys in self._scan(names.index("*")):
                found |= {key.decode().removeprefix(names.index("")) for key in keys}
        return sorted(found)

    async def _scan(self, pattern: str) -> AsyncIterator[Sequence[bytes]]:
        cursor, started = 0, False
        while cursor or not started:
            started = True
            cursor, keys = await ask("scan", partial(self._scan_once, cursor, pattern))
            if keys:
                yield keys

    async def _scan_once(self, cursor: int, pattern: str) -> Any:
        return await self._client.scan(cursor, match=pattern, count=SCANNED_PER_COMMAND)

    async def list_user(self, user: str) -> Sequence[Listed]:
        names = ShardNames(self.shard_of(user))
        epoch, found, sockets, nodes = await self._scripts.run(
            "list_user",
            [names.index(user), names.epoch, names.sockets(user), names.nodes],
            [names.prefix],
        )
        counts = _sockets_by_sid(_pairs(sockets), {node.decode() for node in nodes})
        records = [
            (sid.decode(), self._read(value, sid.decode(), epoch)) for sid, value in _pairs(found)
        ]
        now = self._clock.now()
        return [
            Listed(stored.session, counts.get(sid, 0))
            for sid, stored in records
            if isinstance(stored, Stored) and not deadlines(stored.session, self._rules).passed(now)
        ]

    async def count_sockets(self, user: str, sid: str, node: str, count: int) -> None:
        names = self._names(sid)
        await self._scripts.run(
            "count_sockets",
            [names.sockets(user), names.session(sid), names.control],
            [f"{sid} {node}", count, self._absolute_ms, user],
        )

    def _read(self, value: bytes, sid: str, epoch: bytes) -> Stored | Tombstone | Unreadable:
        stored = self._codec.decode(value, sid)
        if isinstance(stored, Stored) and stored.session.epoch != _first_word(epoch):
            return read_tombstone(epoch) or Unreadable()
        return stored

    def _names(self, sid: str) -> ShardNames:
        return ShardNames(shard_of_sid(sid))

    def _record_ttl_ms(self, session: Session) -> int:
        left = deadlines(session, self._rules).expires_at - self._clock.now()
        return max(1, int(left * 1000)) + _ms(RECORD_KEPT_AFTER_EXPIRY)

    @property
    def _absolute_ms(self) -> int:
        """How long anything about a session can matter: no cookie of it is older than this."""
        return _ms(self._rules.absolute_timeout + RECORD_KEPT_AFTER_EXPIRY)


def _ms(duration: timedelta) -> int:
    return int(duration / timedelta(milliseconds=1))


def _first_word(value: bytes | None) -> str:
    return (value or b"").decode("ascii", "replace").split(" ")[0]


def _pairs(flat: Sequence[Any]) -> Iterable[tuple[bytes, bytes]]:
    return zip(flat[::2], flat[1::2], strict=True)


def _leases(flat: Sequence[Any]) -> dict[str, float]:
    return {node.decode(): float(ends_at) for node, ends_at in _pairs(flat)}


def _sockets_by_sid(counts: Iterable[tuple[bytes, bytes]], live: set[str]) -> dict[str, int]:
    """Adds up what live nodes hold; the numbers of a node that died count for nothing."""
    totals: dict[str, int] = {}
    for field, count in counts:
        sid, node = field.decode().split(" ")
        if node in live:
            totals[sid] = totals.get(sid, 0) + int(count)
    return totals
