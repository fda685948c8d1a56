"""Stores under the contract, with what its tests ask besides the contract itself."""

import os
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, Protocol

import redis
from redis.asyncio import Redis

from server.core.events import Event, SessionsEnded
from server.core.session import Device, Rules, Session
from server.core.token import SEED_BYTES, make_sid
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store.clock import StoreClock
from server.store.codec import SessionCodec
from server.store.contract import Created, SessionStore, Stored
from server.store.entries import Entries
from server.store.names import ShardNames
from server.store.nodes import RedisNodeRegistry
from server.store.scripts import Scripts
from server.store.sessions import RedisSessionStore
from tests.simulation.memory import Memory
from tests.simulation.network import Link
from tests.simulation.remote_store import RemoteStore
from tests.simulation.servers import Balancer, Server
from tests.support.engine.keys import KEY
from tests.support.engine.quiet import quiet_context
from tests.support.engine.store_client import open_store_client
from tests.support.engine.visitors import visitor_records
from tests.support.servers.stores import owner_client

RULES: Final = Rules(
    idle_timeout=timedelta(minutes=30),
    absolute_timeout=timedelta(hours=12),
    max_sessions_per_user=3,
)
KEYRING: Final = Keyring.from_secrets([KEY])
LEASE: Final = timedelta(seconds=30)


class Subject(Protocol):
    """A store, and a look behind it."""

    @property
    def store(self) -> SessionStore:
        """The store under test."""

    def now(self) -> float:
        """The store's clock."""

    def events(self) -> Sequence[Event]:
        """What was appended to the control streams, shard by shard."""

    async def join(self, node: str) -> None:
        """List a node."""

    def die(self, node: str) -> None:
        """Let a node be dropped from the lists."""

    def outlive(self, node: str) -> None:
        """Let a node's lease seem to be over by the store's clock."""

    def flush(self) -> None:
        """Lose all data."""

    def limit(self, sessions: int) -> None:
        """Change `max_sessions_per_user`."""


class RedisSubject:
    """`RedisSessionStore` on a real Valkey."""

    def __init__(self, store: RedisSessionStore, clock: StoreClock, raw: redis.Redis) -> None:
        self.store = store
        self.now = clock.now
        self._entries = Entries(KEYRING, quiet_context(clock.now))
        self.raw = raw
        self._registry = RedisNodeRegistry(
            store._client, store._scripts, clock, store.shards, LEASE
        )

    def events(self) -> Sequence[Event]:
        """See `Subject`."""
        found: list[Event] = []
        for shard in range(self.store.shards):
            entries: Any = self.raw.xrange(ShardNames(shard).control)
            for entry, fields in entries:
                event = self._entries.read(entry.decode(), fields)
                assert isinstance(event, Event), (event, fields)
                found.append(event)
        return found

    async def join(self, node: str) -> None:
        """See `Subject`."""
        await self._registry.renew(node, 1)

    def die(self, node: str) -> None:
        """See `Subject`."""
        for shard in range(self.store.shards):
            self.raw.zrem(ShardNames(shard).nodes, node)
            self.raw.hdel(ShardNames(shard).renewals, node)

    def outlive(self, node: str) -> None:
        """See `Subject`."""
        for shard in range(self.store.shards):
            self.raw.zadd(ShardNames(shard).nodes, {node: self.now() - 1})

    def flush(self) -> None:
        """See `Subject`."""
        self.raw.flushall()

    def limit(self, sessions: int) -> None:
        """See `Subject`."""
        self.store._rules = replace(RULES, max_sessions_per_user=sessions)

    def shorten(self, absolute_timeout: timedelta) -> None:
        """Write as a node with a shorter absolute timeout does from here on."""
        self.store._rules = replace(RULES, absolute_timeout=absolute_timeout)


class MemorySubject:
    """The simulation's store in memory, over a link without faults."""

    def __init__(self, shards: int) -> None:
        self._shards = shards
        self._time = 1_000_000.0
        self.flush()

    def now(self) -> float:
        """See `Subject`. The clock moves when a test looks at it."""
        self._time += 0.001
        return self._time

    def events(self) -> Sequence[Event]:
        """See `Subject`."""
        return [entry for _, entry in self._memory.control.entries]  # type: ignore[misc]

    async def join(self, node: str) -> None:
        """See `Subject`."""
        self._memory.renew(node)

    def die(self, node: str) -> None:
        """See `Subject`."""
        self._memory.drop(node)

    def outlive(self, node: str) -> None:
        """See `Subject`."""
        self._memory.nodes[node] = self.now() - 1

    def flush(self) -> None:
        """See `Subject`."""
        self._memory = Memory(lambda: self._time, RULES, LEASE.total_seconds(), self._shards)
        link = Link(random.Random(0))  # noqa: S311 - delays are no secret
        link.slowest = 0.0003
        self.store = RemoteStore(Balancer(Server(self._memory)), link, "reader")

    def limit(self, sessions: int) -> None:
        """See `Subject`."""
        self.store._rules = replace(RULES, max_sessions_per_user=sessions)


@asynccontextmanager
async def redis_subject(url: str, shards: int) -> AsyncIterator[RedisSubject]:
    """The Redis store at `url`, laid out for so many shards."""
    async with open_store_client(url) as client:
        with owner_client(url) as raw:
            yield await _subject_on(client, shards, raw)


async def _subject_on(client: Redis, shards: int, raw: redis.Redis) -> RedisSubject:
    clock = StoreClock(client)
    await clock.synchronise()
    codec = SessionCodec(Sealer(KEYRING))
    entries = Entries(KEYRING, quiet_context(clock.now))
    scripts = Scripts(client)
    visitors = visitor_records(scripts, RULES)
    store = RedisSessionStore(client, scripts, codec, entries, clock, RULES, visitors, shards)
    return RedisSubject(store, clock, raw)


def new_session(subject: Subject, user: str | None = "ann", **fields: Any) -> Session:
    """A session that could be created now, unless `fields` say otherwise."""
    now = subject.now()
    shard = subject.store.shard_of(user) if user else 0
    session = Session(
        sid=make_sid(shard, os.urandom(16)),
        user=user,
        seed=os.urandom(SEED_BYTES),
        created_at=now,
        authenticated_at=now if user else None,
        last_active_at=now,
        current_since=now,
        device=Device("a browser", "192.0.2.7"),
        data={"note": ["é", 1, None, {"deep": True}]},
    )
    return replace(session, **fields)


async def created(subject: Subject, user: str | None = "ann", **fields: Any) -> Stored:
    """A session that is in the store."""
    shard = subject.store.shard_of(user) if user else 0
    epochs = await subject.store.epochs(shard, user)
    session = new_session(subject, user, **{"epoch": epochs.shard, **fields})
    made = await subject.store.create(
        session, operation=new_id(), user_epoch=epochs.user, initiator="n1"
    )
    assert isinstance(made, Created)
    return made.stored


def new_id() -> str:
    """An operation or event id."""
    return os.urandom(16).hex()


def ends(subject: Subject) -> list[SessionsEnded]:
    """The ends among the events."""
    return [event for event in subject.events() if isinstance(event, SessionsEnded)]


async def listed(subject: Subject, user: str = "ann") -> set[str]:
    """The ids on the user's list."""
    return {each.session.sid for each in await subject.store.list_user(user)}
