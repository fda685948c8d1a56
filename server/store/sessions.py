"""The session store on Redis or Valkey: each change is one atomic script."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from redis.asyncio import Redis

from server.core.durations import milliseconds
from server.core.events import EVERYTHING, Event, Scope, SessionsChanged
from server.core.reasons import Reason
from server.core.session import Rules, Session, deadlines
from server.core.token import shard_of_sid
from server.store.batch import BatchedLoads
from server.store.batched_saves import BatchedSaves, RecordWrite
from server.store.clock import StoreClock
from server.store.codec import SessionCodec
from server.store.connection import execute
from server.store.contract import (
    Conflict,
    Created,
    Ended,
    EpochChanged,
    Epochs,
    ListedSession,
    Loaded,
    Missing,
    NoRoom,
    Saved,
    Stored,
    Tombstone,
    Unreadable,
    eviction_id,
)
from server.store.documents import mark_of
from server.store.entries import Entries, Fields
from server.store.names import ShardNames, shard_of_user
from server.store.replies import (
    pairs,
    read_ended,
    read_epoch,
    read_tombstone,
    read_user_ended,
    sockets_by_sid,
)
from server.store.scanning import scan
from server.store.scripts import Scripts
from server.store.visitors import VisitorRecords, read_saved

RECORD_KEPT_AFTER_EXPIRY: Final = timedelta(hours=1)
"""So that a person who comes back after lunch learns why the session ended."""
ENDS_REMEMBERED: Final = timedelta(days=1)
"""An end of many sessions: no sign-in under way and no repeated request takes that long."""


def longest_life_ms(rules: Rules) -> int:
    """Return how long the record of a session can live at most, unless its owner is remembered."""
    return milliseconds(rules.absolute_timeout + RECORD_KEPT_AFTER_EXPIRY)


class RedisSessionStore:
    """Implements `SessionStore`.

    Args:
        client: the store.
        scripts: the scripts, on that client.
        codec: seals and opens records.
        entries: signs the entries of the control stream.
        clock: the store's clock.
        rules: the durations in force.
        visitors: writes the sessions that have no user.
        shards: how many shards the store has.
    """

    def __init__(
        self,
        client: Redis,
        scripts: Scripts,
        codec: SessionCodec,
        entries: Entries,
        clock: StoreClock,
        rules: Rules,
        visitors: VisitorRecords,
        shards: int,
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._codec = codec
        self._entries = entries
        self._clock = clock
        self._rules = rules
        self._visitors = visitors
        self._loads = BatchedLoads(client)
        self._longest_life_ms = longest_life_ms(rules)
        self._saves = BatchedSaves(scripts, self._longest_life_ms)
        self.shards = shards

    def shard_of(self, user: str) -> int:
        return shard_of_user(user, self.shards)

    async def load(self, sid: str) -> Loaded:
        raw = await self._loads.load(ShardNames.of_session(sid), sid)
        if raw.tombstone is not None:
            return read_tombstone(raw.tombstone) or Unreadable()
        if raw.value is None:
            return Missing()
        return self._read(raw.value, sid, raw.epoch)

    async def epochs(self, shard: int, user: str | None) -> Epochs:
        names = ShardNames(shard)
        keys = [names.epoch, *([names.user_epoch(user)] if user is not None else [])]
        found = await execute("epochs", lambda: self._client.mget(keys))
        return Epochs(*map(read_epoch, found))

    async def create(
        self, session: Session, *, operation: str, user_epoch: str, initiator: str
    ) -> Created | EpochChanged | Tombstone | NoRoom:
        mark = mark_of(operation)
        value = self._codec.encode(session, revision=1, operation=mark)
        ttl_ms = self._ttl_ms(session)
        if session.user is None:
            return await self._visitors.create(session, value, operation=mark, ttl_ms=ttl_ms)
        names, user = ShardNames.of_session(session.sid), session.user
        evictions = self._evictions(session, operation, initiator)
        keys = [names.session(session.sid), names.tombstone(session.sid), names.epoch]
        keys += [names.index(user), names.user_epoch(user), names.control]
        reply = await self._scripts.run(
            "create",
            keys,
            [
                mark,
                session.sid,
                value,
                ttl_ms,
                deadlines(session, self._rules).expires_at,
                session.epoch,
                user_epoch,
                self._rules.max_sessions_per_user,
                names.prefix,
                eviction_id(operation),
                self._longest_life_ms,
                max(ttl_ms, self._longest_life_ms),
                len(evictions),
                *evictions,
                *self._entries.sign(SessionsChanged(user)),
            ],
            must_count=True,
            shared=True,
        )
        match reply:
            case [b"created", *evicted]:
                return Created(Stored(session, 1), tuple(sid.decode() for sid in evicted))
            case [b"ended", tombstone]:
                return read_tombstone(tombstone) or EpochChanged()
        return EpochChanged()

    async def save(
        self, session: Session, *, based_on: int, operation: str, event: Event | None = None
    ) -> Saved | Conflict | Tombstone | Missing | NoRoom:
        names, revision = ShardNames.of_session(session.sid), based_on + 1
        mark = mark_of(operation)
        value = self._codec.encode(session, revision=revision, operation=mark)
        ttl_ms, entry = self._ttl_ms(session), self._entries.sign(event) if event else ()
        if session.user is None:
            return await self._visitors.save(
                session, value, based_on=based_on, operation=mark, ttl_ms=ttl_ms, entry=entry
            )
        expires_at = deadlines(session, self._rules).expires_at
        keys = names.session(session.sid), names.tombstone(session.sid), names.index(session.user)
        args = mark, based_on, value, ttl_ms, expires_at, session.sid, len(entry), *entry
        reply = await self._saves.save(names, RecordWrite(keys, args, len(value)))
        return read_saved(reply, revision)

    async def end_session(
        self, sid: str, *, user: str | None, end_id: str, reason: Reason, initiator: str
    ) -> Ended:
        names = ShardNames.of_session(sid)
        entry = self._entries.sign_end(
            Scope.SESSION,
            end_id=end_id,
            initiator=initiator,
            reason=reason,
            shard=names.shard,
            user=user,
            sids=sid,
        )
        keys = [names.session(sid), names.tombstone(sid), names.epoch]
        keys += [names.index(user or ""), names.control, names.nodes, names.renewals]
        args = [end_id, sid, reason.value, self._longest_life_ms, *entry]
        (outcome, *nodes), confirmed = await self._scripts.run_confirmed("end_session", keys, args)
        if outcome == b"ended":
            return read_ended((sid,), names.shard, nodes, confirmed)
        return read_ended((), names.shard, nodes, confirmed, read_tombstone(outcome))

    async def end_user(
        self, user: str, *, keep: str | None, end_id: str, reason: Reason, initiator: str
    ) -> Ended:
        names = ShardNames(self.shard_of(user))
        entry = self._entries.sign_end(
            Scope.USER,
            end_id=end_id,
            initiator=initiator,
            reason=reason,
            shard=names.shard,
            user=user,
            keep=keep,
        )
        keys = names.end_of_user(user, end_id)
        args = [end_id, reason.value, keep or "", self._longest_life_ms, names.prefix]
        reply, confirmed = await self._scripts.run_confirmed(
            "end_user", keys, [*args, milliseconds(ENDS_REMEMBERED), *entry]
        )
        return read_user_ended(reply, names.shard, confirmed)

    async def end_shard(self, shard: int, *, end_id: str, reason: Reason, initiator: str) -> Ended:
        names = ShardNames(shard)
        entry = self._entries.sign_end(
            Scope.SHARD,
            end_id=end_id,
            initiator=initiator,
            reason=reason,
            shard=shard,
            sids=EVERYTHING,
        )
        nodes, confirmed = await self._scripts.run_confirmed(
            "end_shard",
            [
                *(names.epoch, names.control, names.nodes),
                *(names.completed_end(end_id), names.renewals),
            ],
            [end_id, reason.value, milliseconds(ENDS_REMEMBERED), *entry],
        )
        return read_ended((), shard, nodes, confirmed)

    async def sweep_shard(self, shard: int) -> int:
        names, swept = ShardNames(shard), 0
        async for keys in scan(self._client, names.session("*")):
            swept += await self._scripts.run(
                "sweep", [names.epoch, *keys], [names.prefix, self._longest_life_ms]
            )
        return swept

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
        counts = sockets_by_sid(pairs(sockets), {node.decode() for node in nodes})
        records = [self._read(value, sid.decode(), epoch) for sid, value in pairs(found)]
        now = self._clock.now()
        return [
            ListedSession(each.session, counts.get(each.session.sid, 0))
            for each in records
            if isinstance(each, Stored)
            and each.session.user == user  # the index is not sealed
            and not deadlines(each.session, self._rules).timeout_at(now)
        ]

    async def count_sockets(self, user: str, sid: str, node: str, count: int) -> None:
        names = ShardNames.of_session(sid)
        entry = self._entries.sign(SessionsChanged(user))
        await self._scripts.run(
            "count_sockets",
            [names.sockets(user), names.session(sid), names.control, names.epoch],
            [f"{sid} {node}", count, self._longest_life_ms, *entry],
        )

    def _evictions(self, session: Session, operation: str, initiator: str) -> Fields:
        """Return the signed entry of the ends that a creation may cause."""
        return self._entries.sign_end(
            Scope.LIMIT,
            end_id=eviction_id(operation),
            initiator=initiator,
            reason=Reason.SESSION_LIMIT,
            shard=shard_of_sid(session.sid),
            user=session.user or "",
            keep=session.sid,
        )

    def _read(self, value: bytes, sid: str, epoch: bytes) -> Stored | Tombstone | Unreadable:
        stored = self._codec.decode(value, sid)
        if isinstance(stored, Stored) and stored.session.epoch != read_epoch(epoch):
            return read_tombstone(epoch) or Unreadable()
        return stored

    def _ttl_ms(self, session: Session) -> int:
        left = deadlines(session, self._rules).expires_at - self._clock.now()
        return max(1, int(left * 1000)) + milliseconds(RECORD_KEPT_AFTER_EXPIRY)
