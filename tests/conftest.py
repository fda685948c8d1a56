"""Fixtures for all tests: one real Valkey for the whole run, and peace between two plugins."""

import asyncio
from collections.abc import Generator, Iterator

import pytest
from tornado.ioloop import IOLoop

from tests.support.leaks import SEARCH
from tests.support.listening import listen
from tests.support.valkey import ValkeyServer

Collected = pytest.Item | pytest.Collector | list[pytest.Item | pytest.Collector] | None


def pytest_configure() -> None:
    """Listen to all clients from the first test on."""
    listen(SEARCH)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Look for secrets last: the search is for the whole run."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    """A Valkey on a Unix socket, shared by the tests of the run: leave it running."""
    with ValkeyServer() as server:
        yield server


@pytest.fixture
def store_url(valkey: ValkeyServer) -> str:
    """The address of the shared Valkey, emptied."""
    valkey.flush()
    return valkey.url


@pytest.fixture
def io_loop() -> Iterator[IOLoop]:
    """The loop under pytest-tornado's fixtures; its own leaves another loop open."""
    asyncio.set_event_loop(asyncio.new_event_loop())
    loop = IOLoop.current()
    yield loop
    asyncio.set_event_loop(None)
    loop.close(all_fds=True)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pycollect_makeitem() -> Generator[None, Collected, Collected]:
    """Leave `gen_test` coroutines to pytest-tornado: pytest-asyncio would run them on its loop."""
    found = yield
    return [_for_tornado(each) for each in found] if isinstance(found, list) else found


def _for_tornado(item: pytest.Item | pytest.Collector) -> pytest.Item | pytest.Collector:
    if not isinstance(item, pytest.Function) or item.get_closest_marker("gen_test") is None:
        return item
    return pytest.Function.from_parent(
        item.parent,
        name=item.name,
        callspec=getattr(item, "callspec", None),
        callobj=item.obj,
        fixtureinfo=item._fixtureinfo,
        originalname=item.originalname,
    )
