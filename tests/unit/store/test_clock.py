import time
from typing import Final

import pytest
import redis
from redis.asyncio import Redis

from server.core.errors import StoreUnavailable
from server.store.clock import LONGEST_ROUND_TRIP, StoreClock

STORE_TIME: Final = 1_000_000.0
NEAR: Final = 0.05
"""Seconds that a busy machine may take between two lines."""


@pytest.fixture
def clock(client: Redis) -> StoreClock:
    return StoreClock(client)


def test_a_step_is_noticed_and_remembered_for_a_minute(client: Redis) -> None:
    now, steps = 100.0, list[float]()
    clock = StoreClock(client, lambda: now)
    clock.subscribe(lambda: steps.append(clock.now()))
    for store_time in (STORE_TIME, STORE_TIME + 0.5, STORE_TIME + 120.5):
        clock.learn(store_time, asked_at=now)
    assert steps == [STORE_TIME + 120.5]
    assert clock.steps() == [120.0]
    now += 30
    clock.learn(STORE_TIME + 30, asked_at=now)
    assert clock.steps() == [-0.5, -120.5]
    now += 31
    assert clock.steps() == [-120.5]
    now += 30
    assert clock.steps() == []


async def test_it_tells_the_stores_time(clock: StoreClock, raw: redis.Redis) -> None:
    await clock.synchronise()
    seconds, microseconds = raw.time()
    assert abs(clock.now() - seconds - microseconds / 1_000_000) < LONGEST_ROUND_TRIP


def test_it_goes_on_from_a_reading(clock: StoreClock) -> None:
    clock.learn(STORE_TIME, asked_at=time.monotonic())
    first = clock.now()
    assert first - STORE_TIME < NEAR
    assert clock.now() >= first


def test_a_reading_is_of_the_middle_of_its_round_trip(clock: StoreClock) -> None:
    clock.learn(STORE_TIME, asked_at=time.monotonic() - 0.08)
    assert 0.04 <= clock.now() - STORE_TIME < 0.04 + NEAR


def test_a_reading_that_took_long_is_only_taken_for_want_of_another(clock: StoreClock) -> None:
    slow = 3 * LONGEST_ROUND_TRIP
    clock.learn(STORE_TIME, asked_at=time.monotonic() - slow)
    assert abs(clock.now() - STORE_TIME) < slow
    clock.learn(2 * STORE_TIME, asked_at=time.monotonic() - slow)
    assert abs(clock.now() - STORE_TIME) < 1
    clock.learn(2 * STORE_TIME, asked_at=time.monotonic())
    assert clock.now() >= 2 * STORE_TIME


async def test_a_store_that_is_gone_leaves_the_earlier_reading(gone: Redis) -> None:
    clock = StoreClock(gone)
    clock.learn(STORE_TIME, asked_at=time.monotonic())
    with pytest.raises(StoreUnavailable, match="TIME"):
        await clock.synchronise()
    assert abs(clock.now() - STORE_TIME) < 1
