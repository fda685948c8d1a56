"""A command is answered, refused and cancelled as by the library's own client."""

import asyncio

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from server.store.command_client import CommandClient

KEY, OTHER = "curfew:{00}:where", "curfew:{00}:when"


@pytest.fixture(autouse=True)
async def kept(client: Redis) -> None:
    """Two keys that are there."""
    assert isinstance(client, CommandClient)
    await client.set(KEY, "here")
    await client.set(OTHER, "now")


async def test_replies_are_read_as_the_library_reads_them(client: Redis, store_url: str) -> None:
    async with Redis.from_url(store_url) as library:
        for each in (client, library):
            assert await each.mget(KEY, "curfew:{00}:none", OTHER) == [b"here", None, b"now"]
            assert [type(part) for part in await each.time()] == [int, int]
            assert (await each.info("replication"))["role"] == "master"


async def test_a_refusal_does_not_cost_the_connection(client: Redis) -> None:
    before = await client.connection_pool.get_connection()  # type: ignore[no-untyped-call]
    await client.connection_pool.release(before)
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        await client.zrange(KEY, 0, 1)
    assert await client.get(KEY) == b"here"
    after = await client.connection_pool.get_connection()  # type: ignore[no-untyped-call]
    await client.connection_pool.release(after)
    assert after is before
    assert after.is_connected


@pytest.mark.parametrize("number", range(6))
async def test_nobody_gets_the_reply_to_a_cancelled_command(client: Redis, number: int) -> None:
    asking = asyncio.ensure_future(client.get(KEY))
    for _ in range(number):
        await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])
    assert await client.get(OTHER) == b"now"


async def test_commands_that_are_sent_together_are_answered_in_their_order(client: Redis) -> None:
    async with client.pipeline(transaction=False) as together:
        together.get(KEY)
        together.zrange(KEY, 0, 1)
        together.info("replication")
        together.get(OTHER)
        here, refused, told, now = await together.execute(raise_on_error=False)
    assert (here, told["role"], now) == (b"here", "master", b"now")
    assert isinstance(refused, ResponseError)
    assert await together.execute() == []


async def test_a_refusal_among_several_is_raised_if_nobody_looks_at_each(client: Redis) -> None:
    together = client.pipeline(transaction=False)
    together.zrange(KEY, 0, 1)
    together.set(KEY, "there")
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        await together.execute()
    assert await client.get(KEY) == b"there"


@pytest.mark.parametrize("number", range(8))
async def test_nobody_gets_the_replies_to_cancelled_commands(client: Redis, number: int) -> None:
    together = client.pipeline(transaction=False)
    together.get(KEY)
    together.get(KEY)
    asking = asyncio.ensure_future(together.execute())
    for _ in range(number):
        await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])
    assert await client.get(OTHER) == b"now"
