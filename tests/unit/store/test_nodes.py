import time
from datetime import timedelta

import pytest
import redis
from redis.asyncio import Redis

from server.core.nodes import ListedNode
from server.store.clock import StoreClock
from server.store.names import ShardNames
from server.store.nodes import RedisNodeRegistry, ShardNodeRegistry
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
    await registry.renew("n1", 1)
    leases = await registry.leases()
    assert abs(leases["n1"] - clock.now() - LEASE.total_seconds()) < 1
    for shard in range(SHARDS):
        assert raw.zrange(ShardNames(shard).nodes, 0, -1) == [b"n1"]


async def test_a_renewal_reads_the_stores_clock(
    registry: RedisNodeRegistry, clock: StoreClock, raw: redis.Redis
) -> None:
    await registry.renew("n1", 1)
    seconds, _ = raw.time()
    assert abs(clock.now() - seconds) < 2


async def test_a_node_whose_lease_is_over_by_the_stores_clock_stays_listed(
    registry: RedisNodeRegistry, clock: StoreClock, raw: redis.Redis
) -> None:
    await registry.renew("n1", 1)
    raw.zadd(ShardNames(0).nodes, {"n1": clock.now() - 86_500})
    await registry.renew("n2", 1)
    assert list(await registry.leases()) == ["n1", "n2"]
    assert [set(each) for each in await registry.lists()] == [{"n1", "n2"}] * SHARDS


async def test_every_renewal_changes_the_entry_even_if_the_clock_is_the_same(
    registry: RedisNodeRegistry, raw: redis.Redis
) -> None:
    marks = set()
    for number in range(1, 4):
        await registry.renew("n1", number)
        raw.zadd(ShardNames(0).nodes, {"n1": 1_000_000})
        marks.add((await registry.lists())[0]["n1"].mark)
    assert len(marks) == 3


async def test_an_earlier_renewal_that_runs_late_brings_no_earlier_entry_back(
    registry: RedisNodeRegistry, raw: redis.Redis
) -> None:
    for number in (1, 2, 1):
        await registry.renew("n1", number)
        raw.zadd(ShardNames(0).nodes, {"n1": 1_000_000})
    assert (await registry.lists())[0]["n1"].mark == "1000000 2 30000 1"


async def test_an_entry_tells_when_it_began_and_so_whether_the_list_was_lost(
    registry: RedisNodeRegistry, raw: redis.Redis
) -> None:
    async def began(number: int) -> int:
        return (await registry.renew("n1", number))[1]["n1"].began

    assert [await began(number) for number in (1, 2)] == [1, 1]
    raw.delete(ShardNames(1).nodes)
    assert [await began(number) for number in (3, 3, 4)] == [3, 3, 3]
    await registry.drop(1, "n1", (await registry.lists())[1]["n1"])
    assert [await began(number) for number in (5, 6)] == [3, 3]  # it was dropped, and not lost


async def test_a_node_is_dropped_only_if_it_has_not_renewed(
    registry: RedisNodeRegistry, raw: redis.Redis
) -> None:
    await registry.renew("n1", 1)
    seen = (await registry.renew("n2", 1))[1]["n1"]
    assert await registry.drop(1, "n1", seen) == seen
    assert [set(each) for each in await registry.lists()] == [{"n1", "n2"}, {"n2"}]
    assert raw.hkeys(ShardNames(1).renewals) == [b"n2"]
    assert await registry.drop(1, "n1", seen) is None

    seen = (await registry.renew("n1", 2))[1]["n1"]
    await registry.renew("n1", 3)
    found = await registry.drop(1, "n1", seen)
    assert found not in (None, seen)
    assert "n1" in (await registry.lists())[1]


async def test_a_node_of_an_earlier_version_is_known_by_the_end_of_its_lease(
    registry: RedisNodeRegistry, raw: redis.Redis
) -> None:
    raw.zadd(ShardNames(0).nodes, {"n1": 1_000_000.5})
    (seen,) = (await registry.lists())[0].values()
    assert seen == ListedNode("1000000.5 ")
    assert await registry.drop(0, "n1", seen) == seen
    assert await registry.leases() == {}


async def test_a_node_that_stopped_is_removed_from_every_shard(
    registry: RedisNodeRegistry, raw: redis.Redis
) -> None:
    for node in ("n1", "n2"):
        await registry.renew(node, 1)
    await registry.remove("n1")
    for shard in range(SHARDS):
        assert raw.zrange(ShardNames(shard).nodes, 0, -1) == [b"n2"]
        assert raw.hkeys(ShardNames(shard).renewals) == [b"n2"]


async def test_a_registry_of_one_shard_changes_no_other(
    registry: RedisNodeRegistry, raw: redis.Redis
) -> None:
    """In a cluster, each shard has a master that can fail alone."""
    second = ShardNodeRegistry(registry, 1)
    assert [set(each) for each in await second.renew("n1", 1)] == [{"n1"}]
    await second.renew("n2", 1)
    assert [set(each) for each in await registry.lists()] == [set(), {"n1", "n2"}]
    (here,) = await second.lists()
    assert await second.drop(1, "n1", here["n1"]) == here["n1"]
    await second.remove("n2")
    assert await second.lists() == [{}]

    await registry.renew("n3", 1)
    await second.remove("n3")
    assert list(await second.leases()) == ["n3"]  # they are told of the first shard
    assert raw.zrange(ShardNames(0).nodes, 0, -1) == [b"n3"]


async def test_of_a_cluster_the_first_shards_clock_is_the_stores(
    client: Redis, scripts: Scripts, clock: StoreClock, raw: redis.Redis
) -> None:
    registry = RedisNodeRegistry(client, scripts, clock, SHARDS, LEASE, is_cluster=True)
    seconds, _ = raw.time()
    assert isinstance(seconds, int)
    clock.learn(seconds + 600, asked_at=time.monotonic())
    await registry.renew_in(1, "n1", 1)
    assert clock.now() > seconds + 500
    await registry.renew_in(0, "n1", 1)
    assert clock.now() < seconds + 100
