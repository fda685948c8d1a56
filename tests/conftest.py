"""Fixtures for all tests: one real Valkey for each process, and peace between two plugins."""

import asyncio
import gc
import signal
from collections import Counter
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest
import redis
from hypothesis import HealthCheck, settings
from tornado.ioloop import IOLoop

from tests.support.clients.people import People, people_of
from tests.support.servers.server import CurfewServer
from tests.support.servers.stores import AS_EMBEDDED, IN_MEMORY, Store, new_store

Collected = pytest.Item | pytest.Collector | list[pytest.Item | pytest.Collector] | None


pytest_plugins = [
    "tests.support.running.alone",
    "tests.support.running.limits",
    "tests.support.running.on_clusters",
    "tests.support.running.slowest",
    "tests.support.secrets.search_at_end",
    "tests.support.servers.forking",
]

LONGEST = (
    "browser/test_blocked_sockets.py",  # it waits most of the time: others compute beside it
    "integration/test_session_races.py",
    "simulation/test_simulation.py",
    "browser/test_accessibility.py",
    "browser/test_base_path.py",
    "browser/test_late_answers.py",
    "browser/test_server_gone.py",
    "integration/test_keys_that_do_not_fit.py",
    "integration/test_keys_command.py",
    "integration/test_failed_to_start.py",
    "integration/test_examples.py",
    "integration/test_doctor_findings.py",
)
"""Files that begin first, in this order, so that no process is left with one at the end. The end of
a run names the slowest."""


# How long an example takes to make or to try says something of the machine, not of the test.
settings.register_profile(
    "busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy machine")


@pytest.fixture
async def people(server: CurfewServer) -> AsyncIterator[People]:
    """Opens browsers on the server of the file."""
    async with people_of(server.url) as people:
        yield people


@pytest.fixture
def raw(store: Store) -> Iterator[redis.Redis]:
    """May do everything on the store of the file."""
    with store.client() as client:
        yield client


def pytest_configure() -> None:
    """Let programs that tests start hear of signals that `nohup` and `&` have us ignore."""
    for each in (signal.SIGHUP, signal.SIGINT):
        if signal.getsignal(each) is signal.SIG_IGN:
            signal.signal(each, lambda *_: None)  # ignored here; theirs begins as usual


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, then one of each folder in turn; what needs a quiet machine last.

    Processes that run side by side then differ in what they need: processor, browser, patience.
    """
    numbers: dict[Path, int] = {}
    counts: Counter[Path] = Counter()
    for item in items:
        if item.path not in numbers:
            numbers[item.path] = counts[item.path.parent]
            counts[item.path.parent] += 1
    items.sort(key=lambda item: _turn(item, numbers[item.path]))


def _turn(item: pytest.Item, number: int) -> tuple[int, int, int, Path]:
    named = [place for place, each in enumerate(LONGEST) if str(item.path).endswith(each)]
    place = named[0] if named else len(LONGEST)
    return _room_of(item), place, number, item.path


def _room_of(item: pytest.Item) -> int:
    if item.get_closest_marker("alone"):
        return 2
    return 1 if item.get_closest_marker("waits") else 0


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while tests are collected, and never among them: they stay."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def clusters() -> Iterator[None]:
    """Stop the clusters that the tests of a process had, when the last is over."""
    yield
    for clusters in (IN_MEMORY, AS_EMBEDDED):
        clusters.close()


@pytest.fixture(scope="session")
def valkey() -> Iterator[Store]:
    """A store that the tests of a process share: leave it running."""
    with new_store() as store:
        yield store


@pytest.fixture
def store_url(valkey: Store) -> str:
    """The address of the shared store, emptied."""
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
