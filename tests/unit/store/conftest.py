"""What the tests of the store's modules share: a client with Curfew's rights, and its owner."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis
from redis.asyncio import Redis

from server.store.connection import open_client
from server.store.scripts import Scripts
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
