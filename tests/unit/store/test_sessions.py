"""What the session store computes itself; what the scripts do is for the conformance suite."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
import redis
from redis.asyncio import Redis

from server.core.session import Rules, Session
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store.clock import StoreClock
from server.store.codec import SessionCodec
from server.store.entries import Entries
from server.store.names import ShardNames
from server.store.scripts import Scripts
from server.store.sessions import RedisSessionStore
from tests.support.engine.keys import KEY
from tests.support.engine.quiet import quiet_context
from tests.support.engine.visitors import visitor_records

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
