"""What the session store computes itself; what the scripts do is for the conformance suite."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
import redis
from redis.asyncio import Redis

from server.core.session import Device, Rules, Session
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.sessions.creation import SessionCreation
from server.sessions.verdicts import LiveSession
from server.store.clock import StoreClock
from server.store.codec import SessionCodec
from server.store.connection import open_client
from server.store.entries import Entries
from server.store.names import ShardNames
from server.store.scripts import Scripts
from server.store.sessions import RedisSessionStore
from tests.support.engine.keys import KEY
from tests.support.engine.quiet import quiet_context
from tests.support.engine.visitors import visitor_records
from tests.support.servers.valkey import ValkeyServer

NOW: Final = 1_000_000.0
RULES: Final = Rules(idle_timeout=timedelta(minutes=30), absolute_timeout=timedelta(hours=12))
KEYRING: Final = Keyring.from_secrets([KEY])
HOUR_MS: Final = 3_600_000
SESSION: Final = Session(
    sid="00" + "A" * 22,
    user="ann",
    seed=bytes(32),
    created_at=NOW,
    authenticated_at=NOW,
    last_active_at=NOW,
    current_since=NOW,
)


class StandingClock(StoreClock):
    """The store's clock, which stands."""

    def now(self) -> float:
        """Return always the same."""
        return NOW


@pytest.fixture
def store(client: Redis, scripts: Scripts) -> RedisSessionStore:
    return store_on(client, scripts)


def store_on(client: Redis, scripts: Scripts) -> RedisSessionStore:
    """The session store that a client reaches."""
    clock, codec = StandingClock(client), SessionCodec(Sealer(KEYRING))
    entries = Entries(KEYRING, quiet_context(clock.now))
    visitors = visitor_records(scripts, RULES)
    return RedisSessionStore(client, scripts, codec, entries, clock, RULES, visitors, 2)


@pytest.mark.parametrize(
    ("session", "ttl_ms"),
    [
        (SESSION, HOUR_MS + HOUR_MS // 2),
        (replace(SESSION, last_active_at=NOW - 60), HOUR_MS + HOUR_MS // 2 - 60_000),
        (replace(SESSION, created_at=NOW - 12 * 3600 + 10), HOUR_MS + 10_000),
        (replace(SESSION, last_active_at=NOW - 9_999), HOUR_MS + 1),
    ],
    ids=["fresh", "idle for a minute", "about to be too old", "expired"],
)
def test_a_record_stays_for_an_hour_after_its_deadline(
    store: RedisSessionStore, session: Session, ttl_ms: int
) -> None:
    assert store._ttl_ms(session) == ttl_ms


async def test_a_list_shows_nobody_elses_session(
    store: RedisSessionStore, raw: redis.Redis
) -> None:
    sid = "00" + "B" * 22 if store.shard_of("eve") == 0 else "01" + "B" * 22
    session = replace(SESSION, sid=sid, user="eve")
    names = ShardNames(store.shard_of("eve"))
    raw.set(names.session(sid), store._codec.encode(session, revision=1, operation="o"))
    raw.zadd(names.index("eve"), {sid: 2e12})
    assert [each.session for each in await store.list_user("eve")] == [session]
    victim = next(name for name in ("ann", "bob", "cem", "dan") if _same(store, name))
    raw.zadd(names.index(victim), {sid: 2e12})  # the index is not sealed
    assert list(await store.list_user(victim)) == []


def _same(store: RedisSessionStore, user: str) -> bool:
    return store.shard_of(user) == store.shard_of("eve")


async def test_everybody_with_a_session_is_found_in_every_shard(
    store: RedisSessionStore, raw: redis.Redis
) -> None:
    for user in ("ann", "bob", "cem", "dan"):
        raw.zadd(ShardNames(store.shard_of(user)).index(user), {"sid": 1})
    assert await store.users() == ["ann", "bob", "cem", "dan"]


async def test_a_new_session_with_its_index_takes_less_than_700_bytes() -> None:
    """The store's tables take 55 bytes more for two keys that expire.

    It is a store that has just begun: between blocks that were freed, its allocator gives 16 or 32
    bytes more where the rest would be too small for anybody else.
    """
    with ValkeyServer() as fresh, fresh.client() as raw:
        async with open_client(fresh.url) as client:
            taken = await bytes_of_a_new_session(store_on(client, Scripts(client)), raw)
    assert taken <= 645


async def bytes_of_a_new_session(store: RedisSessionStore, raw: redis.Redis) -> int:
    """What the store takes for somebody's first session and the index with it."""
    browser = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    context = quiet_context(lambda: 1795902319.6993916)
    creation = SessionCreation(store, context)
    user = "person12"
    epochs = await store.epochs(store.shard_of(user), user)
    device = Device(browser, "192.0.2.12")
    new = creation.new_session(store.shard_of(user), epochs, device, {})
    made = await creation.write(replace(new, user=user, authenticated_at=new.created_at), epochs)
    assert isinstance(made, LiveSession)
    names = ShardNames.of_session(new.sid)
    parts = [raw.memory_usage(names.session(new.sid)), raw.memory_usage(names.index(user))]
    return sum(each or 700 for each in parts)
