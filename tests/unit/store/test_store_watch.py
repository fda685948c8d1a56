"""A node that no longer fits the store is not listed again until it does."""

import asyncio
from datetime import timedelta
from functools import partial

import pytest
import redis
from redis.asyncio import Redis

from server.core.errors import StoreUnavailable
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store import store_watch
from server.store.clock import StoreClock
from server.store.key_witness import KeyWitness
from server.store.names import SHARD_COUNT, ShardNames
from server.store.nodes import RedisNodeRegistry
from server.store.openable_records import OpenableRecords
from server.store.scripts import Scripts
from server.store.store_watch import StoreWatch, WatchedRegistry
from tests.support.engine.keys import KEY
from tests.support.running.waiting import until

WITNESS = ShardNames(0).key_witness


@pytest.fixture
async def watch(client: Redis, scripts: Scripts) -> StoreWatch:
    ring = Keyring.from_secrets([KEY])
    records = OpenableRecords(client, Sealer(ring), 1)

    async def writing() -> set[int]:
        return set()

    witness = KeyWitness(client, scripts, ring, Sealer(ring), records, writing, tidies=True)
    return StoreWatch(client, 1, witness)


async def test_what_is_gone_is_written_again(watch: StoreWatch, raw: redis.Redis) -> None:
    await watch.look()
    raw.flushall()
    await watch.look()
    assert watch.problem is None
    assert raw.get(SHARD_COUNT) == b"1"
    assert raw.exists(WITNESS)


async def test_a_node_is_listed_only_as_long_as_it_fits(
    watch: StoreWatch,
    client: Redis,
    scripts: Scripts,
    raw: redis.Redis,
    caplog: pytest.LogCaptureFixture,
) -> None:
    nodes = RedisNodeRegistry(client, scripts, StoreClock(client), 1, timedelta(seconds=5))
    watched = WatchedRegistry(nodes, watch)
    (listed,) = await watched.renew("n1", 1)
    assert list(await watched.leases()) == ["n1"]
    assert await watched.lists() == [listed]
    assert await watched.drop(0, "n1", listed["n1"]) == listed["n1"]
    await watched.renew("n1", 2)
    await watched.remove("n1")
    assert await watched.lists() == [{}]
    for name, spoil in (
        (SHARD_COUNT, partial(raw.set, SHARD_COUNT, "7")),
        (SHARD_COUNT, partial(raw.set, SHARD_COUNT, "garbage")),
        (WITNESS, partial(raw.hset, WITNESS, "7", "of others")),
    ):
        raw.delete(WITNESS)
        spoil()
        for _ in range(2):
            await watch.look()
        assert watch.problem
        with pytest.raises(StoreUnavailable):
            await watched.renew("n1", 3)
        raw.delete(name)
        await watch.look()
        await watched.renew("n1", 3)
    told = [each.getMessage() for each in caplog.records if each.name == "curfew.store"]
    assert len(told) == 6
    assert sum("stops serving" in each for each in told) == 3


async def test_a_store_that_does_not_answer_for_a_while_is_looked_at_again(
    watch: StoreWatch, client: Redis, raw: redis.Redis, gone: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_watch, "INTERVAL", timedelta(milliseconds=1))
    monkeypatch.setattr(watch, "_client", gone)
    failures: list[StoreUnavailable] = []
    look = watch.look

    async def noting() -> None:
        try:
            await look()
        except StoreUnavailable as error:
            failures.append(error)
            watch._client = client
            raise

    async def is_laid_out() -> bool:
        return raw.get(SHARD_COUNT) == b"1"

    monkeypatch.setattr(watch, "look", noting)
    running = asyncio.create_task(watch.run())
    try:
        await until(is_laid_out)
    finally:
        running.cancel()
    assert len(failures) == 1
    assert watch.problem is None
