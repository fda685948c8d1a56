"""Runs of scripts whose writes the store confirms: no answer is about another write."""

from collections.abc import Iterator

import pytest
import redis
from redis.asyncio import Redis

from server.core.receipt import Durability
from server.store.confirmed_run import REPLICATION_MS, Confirmation, ConfirmedRun
from server.store.connection import COMMAND_TIMEOUT, open_client
from tests.support.running.processes import eventually
from tests.support.servers.valkey import ValkeyServer

NAME = "curfew:written"
WRITES_ONCE = "return redis.call('SET', KEYS[1], ARGV[1], 'NX') or 'again'"


@pytest.fixture
def durable() -> Iterator[ValkeyServer]:
    """A store that syncs each write before its reply."""
    with ValkeyServer(appendonly="yes", appendfsync="always") as store:
        yield store


@pytest.fixture
def primary() -> Iterator[ValkeyServer]:
    """A store that can have a replica."""
    with ValkeyServer(tcp=True, repl_diskless_sync_delay="0") as store:
        yield store


def run_on(client: Redis, replicas: int = 0) -> ConfirmedRun:
    """Return a run of a script that writes only the first time."""
    return ConfirmedRun(client, client.register_script(WRITES_ONCE), [NAME], ["a"], replicas)


async def test_a_write_that_is_on_the_disk_is_confirmed_and_leaves_nothing_else(
    durable: ValkeyServer,
) -> None:
    async with open_client(durable.url) as client:
        reply, confirmed = await run_on(client)()
    assert (reply, confirmed) == (b"OK", Confirmation(None, Durability.FSYNC))
    with durable.client() as owner:
        assert owner.keys() == [NAME.encode()]


async def test_a_run_that_writes_nothing_proves_nothing(durable: ValkeyServer) -> None:
    """The store says 1, and means whatever the connection wrote before."""
    async with open_client(durable.url) as client:
        await run_on(client)()
        reply, confirmed = await run_on(client)()
    assert (reply, confirmed.durability) == (b"again", None)


async def test_a_second_try_asks_for_a_write_of_its_own(durable: ValkeyServer) -> None:
    async with open_client(durable.url) as lost, open_client(durable.url) as client:
        run = run_on(lost)
        await run()
        run._client = client  # its reply was lost, and so was the connection
        reply, confirmed = await run()
    assert (reply, confirmed.durability) == (b"again", Durability.FSYNC)
    with durable.client() as owner:
        assert owner.keys() == [NAME.encode()]


async def test_what_a_replica_lacks_is_not_confirmed_by_a_second_try(primary: ValkeyServer) -> None:
    """A connection that wrote nothing is told that every replica has all it wrote."""
    with ValkeyServer(tcp=True, replicaof=f"127.0.0.1 {primary.port}") as replica:
        with replica.client() as owner:
            eventually(lambda: owner.info("replication")["master_link_status"] == "up")
        async with open_client(primary.url) as lost, open_client(primary.url) as client:
            replica.freeze()
            run = run_on(lost, replicas=1)
            await run()
            run._client = client
            _, confirmed = await run()
    assert confirmed == Confirmation(replicated=False, durability=Durability.MEMORY)


async def test_a_script_that_the_store_lost_is_loaded_again(durable: ValkeyServer) -> None:
    async with open_client(durable.url) as client:
        await run_on(client)()
        with durable.client() as owner:
            owner.script_flush()
        reply, _ = await run_on(client)()
    assert reply == b"again"


async def test_a_refused_script_is_an_error(durable: ValkeyServer) -> None:
    async with open_client(durable.url) as client:
        run = ConfirmedRun(
            client, client.register_script("return redis.error_reply('no')"), [], [], 0
        )
        with pytest.raises(redis.ResponseError):
            await run()


def test_replicas_are_waited_for_less_long_than_the_reply() -> None:
    assert REPLICATION_MS / 1000 < COMMAND_TIMEOUT
