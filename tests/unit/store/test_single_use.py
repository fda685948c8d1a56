import redis
from redis.asyncio import Redis

from server.store.names import ShardNames
from server.store.single_use import SingleUseStore


async def test_the_first_use_is_the_only_one(client: Redis) -> None:
    store = SingleUseStore(client, 4)
    assert await store.claim("challenge", operation="first", seconds=9)
    assert not await store.claim("challenge", operation="second", seconds=9)
    assert await store.claim("another", operation="second", seconds=9)


async def test_a_use_whose_reply_was_lost_is_still_the_first(client: Redis) -> None:
    store = SingleUseStore(client, 4)
    assert await store.claim("challenge", operation="first", seconds=9)
    assert not await store.claim("challenge", operation="second", seconds=9)
    assert await store.claim("challenge", operation="first", seconds=9)


async def test_a_use_is_remembered_until_the_thing_expires(client: Redis, raw: redis.Redis) -> None:
    await SingleUseStore(client, 4).claim("challenge", operation="first", seconds=0.0001)
    await SingleUseStore(client, 4).claim("other", operation="first", seconds=9)
    left_ms = raw.pttl(ShardNames.of_user("other", 4).used("other"))
    assert isinstance(left_ms, int)
    assert 8_000 < left_ms <= 9_000
