"""One server of two processes for the attacks that change nothing of it."""

from collections.abc import Iterator

import pytest

from tests.support.servers.server import CurfewServer


@pytest.fixture(scope="session")
def server() -> Iterator[CurfewServer]:
    """Two processes."""
    with CurfewServer(processes="2") as running:
        yield running
