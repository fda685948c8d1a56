"""The session store on a real cluster passes the one suite."""
# ruff: noqa: D102 - a test is named by a sentence

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from server.core.store_url import ClusterStore, parse_store_url
from server.store.cluster import open_cluster
from server.store.cluster_client import ClusterClient
from tests.conformance.contract import StoreContract
from tests.conformance.subjects import Subject, subject_on
from tests.support.servers.cluster import ValkeyCluster

SHARDS = 16


class RawCluster:
    """What the suite does behind the store's back, on every master."""

    def __init__(self, cluster: ValkeyCluster) -> None:
        self._cluster = cluster
        self._raw = cluster.raw()

    def flushall(self) -> None:
        """Lose all data."""
        self._cluster.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


class TestStoreOnACluster(StoreContract):
    """The Redis store on three masters, laid out for sixteen shards."""

    @pytest.fixture
    async def subject(self, cluster: ValkeyCluster) -> AsyncIterator[Subject]:
        cluster.flush()
        address = parse_store_url(cluster.url)
        assert isinstance(address, ClusterStore)
        async with open_cluster(address) as known, ClusterClient(known) as client:
            await known.discover()
            raw = RawCluster(cluster)
            yield await subject_on(client, SHARDS, cast("Any", raw))
            raw.close()
