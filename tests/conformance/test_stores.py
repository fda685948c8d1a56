"""Every store that is kept here passes the one suite."""
# ruff: noqa: D102 - a test is named by a sentence

from collections.abc import AsyncIterator

import pytest

from tests.conformance.contract import StoreContract
from tests.conformance.subjects import MemorySubject, Subject, redis_subject
from tests.support.servers.stores import Store


class TestRedisStore(StoreContract):
    """The Redis store on a real Valkey, laid out for one shard."""

    @pytest.fixture
    async def subject(self, store_url: str) -> AsyncIterator[Subject]:
        async with redis_subject(store_url, shards=1) as subject:
            yield subject


class TestRedisStoreOnSeveralShards(StoreContract):
    """The same, laid out for several."""

    @pytest.fixture
    async def subject(self, store_url: str, valkey: Store) -> AsyncIterator[Subject]:
        async with redis_subject(store_url, shards=max(3, valkey.shards)) as subject:
            yield subject


class TestRedisStoreOverResp2(StoreContract):
    """The same, for servers and proxies that speak the older protocol alone."""

    @pytest.fixture
    async def subject(self, store_url: str) -> AsyncIterator[Subject]:
        async with redis_subject(f"{store_url}?protocol=2", shards=1) as subject:
            yield subject


class TestMemoryStore(StoreContract):
    """The simulation's double."""

    @pytest.fixture(params=[1, 3])
    def subject(self, request: pytest.FixtureRequest) -> Subject:
        return MemorySubject(request.param)
