"""What the tests of the store's modules share: a client with Curfew's rights, and its owner."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
from redis.asyncio import Redis

from server.store.connection import open_client, open_reader
from server.store.master import MasterLink
from server.store.scripts import Scripts
from tests.support.servers.two_masters import TwoMasters, connections, use
from tests.support.servers.valkey import ValkeyServer


@pytest.fixture
async def client(store_url: str) -> AsyncIterator[Redis]:
    """A client on the emptied store, with the rights that Curfew has."""
    async with open_client(store_url) as client:
        yield client


@pytest.fixture
def scripts(client: Redis) -> Scripts:
    """The scripts, on that client."""
    return Scripts(client)


@pytest.fixture
def raw(valkey: ValkeyServer) -> Iterator[redis.Redis]:
    """The same store for somebody who may do everything."""
    with valkey.client() as client:
        yield client


@pytest.fixture
async def gone(tmp_path: Path) -> AsyncIterator[Redis]:
    """A client of a store that is not there."""
    async with open_client(f"unix://{tmp_path}/nothing.sock") as client:
        yield client


@pytest.fixture(scope="module")
def two_masters() -> Iterator[TwoMasters]:
    with ExitStack() as stack:
        yield TwoMasters(stack)


@pytest.fixture
def two(two_masters: TwoMasters) -> Iterator[TwoMasters]:
    yield two_masters
    with two_masters.first.client() as owner:
        owner.replicaof("NO", "ONE")
        owner.config_set("min-replicas-to-write", 0)
    two_masters.balancer.point_at(two_masters.first.port)


@pytest.fixture
async def link(two: TwoMasters) -> AsyncIterator[tuple[Redis, Redis]]:
    """A client and a reader that are dropped together."""
    together = MasterLink()
    async with open_client(two.url, together) as client, open_reader(two.url, together) as reader:
        await use(client, 5)
        await use(reader, 1)
        assert connections(two.first) == 6
        yield client, reader
