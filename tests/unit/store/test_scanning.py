import redis
from redis.asyncio import Redis

from server.store.scanning import KEYS_PER_COMMAND, scan


async def test_every_key_that_matches_is_found(client: Redis, raw: redis.Redis) -> None:
    wanted = {f"curfew:wanted:{number}" for number in range(3 * KEYS_PER_COMMAND)}
    raw.mset(dict.fromkeys([*wanted, "curfew:other", "wanted"], ""))
    groups = [keys async for keys in scan(client, "curfew:wanted:*")]
    assert {key.decode() for keys in groups for key in keys} == wanted
    assert all(groups)


async def test_a_store_without_such_keys_has_none(client: Redis) -> None:
    assert [keys async for keys in scan(client, "curfew:*")] == []
