"""One server of two processes for the attacks that change nothing of it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.clients.people import People, people_of
from tests.support.servers.server import CurfewServer


@pytest.fixture(scope="session")
def server() -> Iterator[CurfewServer]:
    """Two processes."""
    with CurfewServer(processes="2") as running:
        yield running


@pytest.fixture
async def people(server: CurfewServer) -> AsyncIterator[People]:
    """Opens browsers on the server."""
    async with people_of(server.url) as people:
        yield people
