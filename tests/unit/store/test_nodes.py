from datetime import timedelta

import pytest
import redis
from redis.asyncio import Redis

from server.store.clock import StoreClock
from server.store.names import ShardNames
from server.store.nodes import RedisNodeRegistry
from server.store.scripts import Scripts

LEASE = timedelta(seconds=30)
SHARDS = 2


@pytest.fixture
def clock(client: Redis) -> StoreClock:
    return StoreClock(client)


@pytest.fixture
def registry(client: Redis, scripts: Scripts, clock: StoreClock) -> RedisNodeRegistry:
    return RedisNodeRegistry(client, scripts, clock, SHARDS, LEASE)


async def test_a_node_is_listed_in_every_shard_until_its_lease_ends(
    registry: RedisNodeRegistry, clock: StoreClock, raw: redis.Redis
) -> None:
    await registry.renew("n1")
    leases = await registry.leases()
    assert abs(leases["n1"] - clock.now() - LEASE.total_seconds()) < 1
    for shard in range(SHARDS):
        assert raw.zrange(ShardNames(shard).nodes, 0, -1) == [b"n1"]


async def test_a_renewal_reads_the_stores_clock(
    registry: RedisNodeRegistry, clock: StoreClock, raw: redis.Redis
) -> None:
    await registry.renew("n1")
    seconds, _ = raw.time()
    assert abs(clock.now() - seconds) < 2


async def test_a_node_whose_lease_ended_is_not_listed(
    registry: RedisNodeRegistry, clock: StoreClock, raw: redis.Redis
) -> None:
    await registry.renew("n1")
    raw.zadd(ShardNames(0).nodes, {"n1": clock.now() - 1})
    assert await registry.leases() == {}
    await registry.renew("n1")
    assert list(await registry.leases()) == ["n1"]


async def test_a_lease_that_ended_a_day_ago_is_forgotten(
    registry: RedisNodeRegistry, clock: StoreClock, raw: redis.Redis
) -> None:
    await registry.renew("n1")
    raw.zadd(ShardNames(0).nodes, {"old": clock.now() - 86_500, "ended": clock.now() - 60})
    await registry.renew("n1")
    assert raw.zrange(ShardNames(0).nodes, 0, -1) == [b"ended", b"n1"]


async def test_a_node_that_stopped_is_removed_from_every_shard(
    registry: RedisNodeRegistry, raw: redis.Redis
) -> None:
    for node in ("n1", "n2"):
        await registry.renew(node)
    await registry.remove("n1")
    for shard in range(SHARDS):
        assert raw.zrange(ShardNames(shard).nodes, 0, -1) == [b"n2"]
