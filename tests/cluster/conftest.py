"""A real cluster for each module that needs one."""

from collections.abc import Iterator

import pytest

from tests.support.servers.cluster import ValkeyCluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[ValkeyCluster]:
    """Three masters, and a replica of each."""
    with ValkeyCluster() as cluster:
        yield cluster
