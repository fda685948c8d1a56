"""The session store on Redis or Valkey: each transition is one atomic script."""

from collections.abc import Iterable, Sequence

from redis.asyncio import Redis

from server.core.events import Event, Scope, SessionsChanged
from server.core.reasons import Reason
from server.core.session import Rules, Session, deadlines
from server.store.batch import BatchedLoads
from server.store.clock import StoreClock
from server.store.codec import SessionCodec, read_tombstone
from server.store.connection import ask
from server.store.contract import (
    Conflict,
    Created,
    EpochChanged,
    Epochs,
    ListedSession,
    Loaded,
    Missing,
    Saved,
    Stored,
    Tombstone,
    Unreadable,
    limit_event,
)
from server.store.ends import RECORD_KEPT_AFTER_EXPIRY, EndsOfSessions, milliseconds, pairs
from server.store.entries import Entries
from server.store.names import ShardNames
from server.store.scanning import scan
from server.store.scripts import Scripts


class RedisSessionStore(EndsOfSessions):
    """Implements `SessionStore`; its ends are in `EndsOfSessions`."""

    def __init__(
        self,
        client: Redis,
        scripts: Scripts,
        codec: SessionCodec,
        entries: Entries,
        clock: StoreClock,
        rules: Rules,
        shards: int,
    ) -> None:
        super().__init__(client, scripts, entries, rules, shards)
        self._codec = codec
        self._clock = clock
        self._loads = BatchedLoads(client)

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
        self, session: Session, *, operation: str, user_epoch: str, initiator: str
    ) -> Created | EpochChanged | Tombstone:
        names, user = self._names(session.sid), session.user or ""
        evictions = self._entries.of_end(
            Scope.LIMIT,
            end_id=limit_event(operation),
            initiator=initiator,
            reason=Reason.SESSION_LIMIT,
            shard=names.shard,
            user=user,
            keep=session.sid,
        )
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
                limit_event(operation),
                self._absolute_ms,
                self._absolute_ms,
                len(evictions),
                *evictions,
                *self._entries.of(SessionsChanged(user)),
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
                *(self._entries.of(event) if event else ()),
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

    async def users(self) -> Sequence[str]:
        found: set[str] = set()
        for shard in range(self.shards):
            names = ShardNames(shard)
            async for keys in scan(self._client, names.index("*")):
                found |= {key.decode().removeprefix(names.index("")) for key in keys}
        return sorted(found)

    async def list_user(self, user: str) -> Sequence[ListedSession]:
        names = ShardNames(self.shard_of(user))
        epoch, found, sockets, nodes = await self._scripts.run(
            "list_user",
            [names.index(user), names.epoch, names.sockets(user), names.nodes],
            [names.prefix],
        )
        counts = _sockets_by_sid(pairs(sockets), {node.decode() for node in nodes})
        records = [
            (sid.decode(), self._read(value, sid.decode(), epoch)) for sid, value in pairs(found)
        ]
        now = self._clock.now()
        return [
            ListedSession(stored.session, counts.get(sid, 0))
            for sid, stored in records
            if isinstance(stored, Stored)
            and stored.session.user == user  # the index is not sealed
            and not deadlines(stored.session, self._rules).timeout_at(now)
        ]

    async def count_sockets(self, user: str, sid: str, node: str, count: int) -> None:
        names = self._names(sid)
        await self._scripts.run(
            "count_sockets",
            [names.sockets(user), names.session(sid), names.control],
            [
                f"{sid} {node}",
                count,
                self._absolute_ms,
                *self._entries.of(SessionsChanged(user)),
            ],
        )

    def _read(self, value: bytes, sid: str, epoch: bytes) -> Stored | Tombstone | Unreadable:
        stored = self._codec.decode(value, sid)
        if isinstance(stored, Stored) and stored.session.epoch != _first_word(epoch):
            return read_tombstone(epoch) or Unreadable()
        return stored

    def _record_ttl_ms(self, session: Session) -> int:
        left = deadlines(session, self._rules).expires_at - self._clock.now()
        return max(1, int(left * 1000)) + milliseconds(RECORD_KEPT_AFTER_EXPIRY)


def _first_word(value: bytes | None) -> str:
    return (value or b"").decode("ascii", "replace").split(" ")[0]


def _sockets_by_sid(counts: Iterable[tuple[bytes, bytes]], live: set[str]) -> dict[str, int]:
    """Adds up what live nodes hold; the numbers of a node that died count for nothing."""
    totals: dict[str, int] = {}
    for field, count in counts:
        sid, node = field.decode().split(" ")
        if node in live:
            totals[sid] = totals.get(sid, 0) + int(count)
    return totals
