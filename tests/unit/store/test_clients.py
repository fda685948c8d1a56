"""The clients of a store: one link to one master, or readers for each shard of a cluster."""

import math

import pytest

from server.core.errors import ConfigurationError, StoreUnavailable
from server.store.clients import open_clients
from server.store.cluster_client import ClusterClient
from tests.support.running.ports import free_port

SHARDS = 3


async def test_a_single_store_has_one_reader_and_needs_nobody_to_vouch_for_it(
    store_url: str,
) -> None:
    async with open_clients(store_url, SHARDS, None, plaintext_allowed=False) as opened:
        assert len(opened.readers) == 1
        assert opened.cluster is None
        assert opened.vouched_at() == math.inf
        await opened.look(SHARDS, serves=True)
        with pytest.raises(ConfigurationError):
            await opened.look(SHARDS + 1, serves=True)


async def test_a_cluster_has_a_reader_for_each_shard() -> None:
    url = f"redis+cluster://127.0.0.1:{free_port()}"
    async with open_clients(url, SHARDS, None, plaintext_allowed=False) as opened:
        assert len(opened.readers) == SHARDS
        assert isinstance(opened.client, ClusterClient)
        assert opened.cluster
        assert opened.vouched_at() == math.inf  # each shard is vouched for alone
        with pytest.raises(StoreUnavailable):
            await opened.look(SHARDS, serves=True)
