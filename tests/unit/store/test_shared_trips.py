"""Commands of one tick share a round trip, and nothing else: not a refusal, not a cancellation."""

import asyncio
from typing import Any

import pytest
import redis
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as ClientConnectionError
from redis.exceptions import ResponseError

from server.core.errors import StoreUnavailable
from server.store.scripts import Scripts
from server.store.shared_trips import SharedTrips

KEY, RANKS = "curfew:{00}:where", "curfew:{00}:ranks"
ACCOUNTS = ("curfew:{00}:account:ann", "curfew:{00}:account:ben")
COUNT = ("ZADD", RANKS, "INCR", 1, "b")


@pytest.fixture
def trips() -> SharedTrips:
    return SharedTrips()


@pytest.fixture(autouse=True)
async def kept(client: Redis) -> None:
    """A text and a sorted set."""
    await client.set(KEY, "here")
    await client.zadd(RANKS, {"a": 1})


async def test_commands_of_one_tick_go_together_in_their_order(
    trips: SharedTrips, client: Redis, raw: redis.Redis
) -> None:
    before = len(raw.client_list())
    replies = await asyncio.gather(*(trips.run(client, COUNT) for _ in range(5)))
    assert list(replies) == [1, 2, 3, 4, 5]
    assert len(raw.client_list()) == before  # apart, each would take a connection


async def test_a_refusal_is_for_the_command_that_was_refused(
    trips: SharedTrips, client: Redis
) -> None:
    replies: Any = await asyncio.gather(
        trips.run(client, ("GET", KEY)),
        trips.run(client, ("GET", RANKS)),
        trips.run(client, COUNT),
        return_exceptions=True,
    )
    assert [replies[0], replies[2]] == [b"here", 1]
    assert isinstance(replies[1], ResponseError)
    assert await client.get(KEY) == b"here"  # and nobody else gets a reply of theirs


@pytest.mark.parametrize("turns", range(8))
async def test_who_is_cancelled_takes_no_reply_from_the_others(
    trips: SharedTrips, client: Redis, turns: int
) -> None:
    leaving = asyncio.ensure_future(trips.run(client, ("GET", RANKS)))
    staying = asyncio.ensure_future(trips.run(client, ("GET", KEY)))
    for _ in range(turns):
        await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait([leaving])
    assert await staying == b"here"


async def test_a_store_that_is_gone_fails_all_of_them(trips: SharedTrips, gone: Redis) -> None:
    failed = await asyncio.gather(
        *(trips.run(gone, ("GET", KEY)) for _ in range(3)), return_exceptions=True
    )
    assert [isinstance(each, ClientConnectionError) for each in failed] == [True] * 3


async def test_a_trip_that_is_cancelled_leaves_no_reply_behind(client: Redis) -> None:
    for turns in range(8):
        both: Any = [("GET", KEY), COUNT]
        asking = asyncio.ensure_future(client.execute_together(both))  # type: ignore[attr-defined]
        for _ in range(turns):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])
        assert await client.get(KEY) == b"here"


async def test_a_script_that_the_server_does_not_know_is_loaded(
    scripts: Scripts, raw: redis.Redis
) -> None:
    raw.script_flush()
    saved = await asyncio.gather(
        *(
            scripts.run("save_account", [key], ["o1", 0, "1 o1 \nbox", "x"], shared=True)
            for key in ACCOUNTS
        )
    )
    assert list(saved) == [b"saved", b"saved"]
    assert [raw.get(key) for key in ACCOUNTS] == [b"1 o1 \nbox"] * 2


async def test_each_gets_an_error_of_its_own_from_a_store_that_is_gone(gone: Redis) -> None:
    scripts = Scripts(gone)
    failed = await asyncio.gather(
        *(scripts.run("settle_try", [KEY], ["o", 0, 0, 1], shared=True) for _ in range(2)),
        return_exceptions=True,
    )
    assert [type(each) for each in failed] == [StoreUnavailable] * 2
    assert failed[0] is not failed[1]
