"""Whether something is there that was not found, as a master says it."""

import pytest
import redis
from redis.asyncio import Redis

from server.core.errors import StoreUnavailable
from server.store.absence import is_kept, require_master
from server.store.names import ShardNames

NAMES = ShardNames(0)
KEYS = NAMES.session("a"), NAMES.tombstone("a")


async def test_one_of_the_keys_is_enough(client: Redis, raw: redis.Redis) -> None:
    assert not await is_kept(client, "load", NAMES, *KEYS)
    raw.set(KEYS[1], "ended")
    assert await is_kept(client, "load", NAMES, *KEYS)


async def test_the_question_leaves_nothing_behind(client: Redis, raw: redis.Redis) -> None:
    raw.zadd(NAMES.nodes, {"n1": 1})
    await is_kept(client, "load", NAMES, *KEYS)
    assert raw.zrange(NAMES.nodes, 0, -1) == [b"n1"]
    raw.delete(NAMES.nodes)
    await is_kept(client, "load", NAMES, *KEYS)
    assert not raw.exists(NAMES.nodes)


async def test_a_replica_may_not_say_it(client: Redis, raw: redis.Redis) -> None:
    assert not await is_kept(client, "load", NAMES, *KEYS)
    raw.replicaof("127.0.0.1", "1")
    try:
        with pytest.raises(StoreUnavailable):
            await is_kept(client, "load", NAMES, *KEYS)
    finally:
        raw.replicaof("NO", "ONE")


async def test_the_master_of_a_users_shard_is_asked(client: Redis, raw: redis.Redis) -> None:
    raw.set(ShardNames.of_user("ann", 16).nodes, "no list: whoever asks here gets an error")
    await require_master(client)
    with pytest.raises(StoreUnavailable):
        await require_master(client, "ann", 16)
