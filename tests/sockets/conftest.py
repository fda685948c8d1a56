"""A running Curfew for each file of socket tests, and people who sign in to it."""

from collections.abc import Iterator

import pytest

from tests.support.servers.server import CurfewServer


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """Two processes with default settings, shared by the tests of a file."""
    with CurfewServer(processes="2") as running:
        yield running


@pytest.fixture(autouse=True)
def calm_log(server: CurfewServer) -> Iterator[None]:
    """Whatever a client does, it is no error of the server."""
    before = len(server.log)
    yield
    written = server.log[before:]
    assert " ERROR " not in written, written
    assert "Traceback" not in written, written
