"""The stores that tests run on: each a Valkey of its own, or real clusters where the run asks so.

`make test-cluster` sets `TEST_STORE=cluster`. Tests that do not say which kind of store they need
run on clusters then. Which tests cannot, and why, is in `tests.support.running.on_clusters`.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import redis

from server.core.store_url import ClusterStore, parse_store_url
from tests.support.servers.cluster import ValkeyCluster, owner_of_cluster
from tests.support.servers.valkey import ValkeyServer, owner_of

Store = ValkeyServer | ValkeyCluster
ON_CLUSTERS: Final = os.environ.get("TEST_STORE") == "cluster"


class Clusters:
    """Clusters that are lent and taken back: one takes seconds to start, and is emptied at once.

    Args:
        settings: of their servers, with underscores for dashes.
    """

    def __init__(self, **settings: str) -> None:
        """Nothing is started yet."""
        self._settings = settings
        self._running = ExitStack()
        self._free: list[ValkeyCluster] = []

    def lend(self) -> ValkeyCluster:
        """Return an empty cluster that nobody else has."""
        if not self._free:
            return self._running.enter_context(ValkeyCluster(3, 1, **self._settings))
        cluster = self._free.pop()
        cluster.flush()
        return cluster

    def take_back(self, cluster: ValkeyCluster) -> None:
        """Keep it for whoever needs one next."""
        self._free.append(cluster)

    def close(self) -> None:
        """Stop all, also those that are still lent."""
        self._free.clear()
        self._running.close()


IN_MEMORY: Final = Clusters()
AS_EMBEDDED: Final = Clusters(appendonly="yes", appendfsync="always")
"""They keep what they are told as the embedded store does."""


@contextmanager
def new_store() -> Iterator[Store]:
    """Yield an empty store, which is the caller's alone until it is given back."""
    if not ON_CLUSTERS:
        with ValkeyServer() as alone:
            yield alone
        return
    cluster = IN_MEMORY.lend()
    try:
        yield cluster
    finally:
        IN_MEMORY.take_back(cluster)


def owner_client(url: str) -> redis.Redis:
    """Make a client for somebody who may do everything in a store, which the caller closes."""
    store = parse_store_url(url)
    if isinstance(store, ClusterStore):
        return owner_of_cluster(store.seeds[0])
    return redis.Redis.from_url(owner_of(url), socket_timeout=5)


def servers_of(url: str) -> list[str]:
    """Return the addresses of all servers of a store; those of a cluster with all rights there."""
    store = parse_store_url(url)
    if isinstance(store, ClusterStore) and store.tls is None:
        return [f"redis://{each}" for each in store.seeds]
    return [url]
