"""Fixtures for all tests: one real Valkey for each process, and peace between two plugins."""

import asyncio
import signal
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from tornado.ioloop import IOLoop

from tests.support.servers.valkey import ValkeyServer

Collected = pytest.Item | pytest.Collector | list[pytest.Item | pytest.Collector] | None


pytest_plugins = ["tests.support.running.alone", "tests.support.secrets.search_at_end"]

LONGEST = (
    "integration/test_session_races.py",
    "simulation/test_simulation.py",
    "browser/test_server_gone.py",
    "browser/test_accessibility.py",
)
"""Files that begin first, so that no process is left with one at the end."""


# How long an example takes to make says something of the machine, not of the test.
settings.register_profile("busy machine", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")


def pytest_configure() -> None:
    """Let programs that tests start be told that a terminal hung up, as `nohup` does not."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)  # ignored here; theirs begins as usual


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, then one of each folder in turn; what has to be alone last.

    Processes that run side by side then differ in what they need: processor, browser, patience.
    """
    numbers: dict[Path, int] = {}
    counts: Counter[Path] = Counter()
    for item in items:
        if item.path not in numbers:
            numbers[item.path] = counts[item.path.parent]
            counts[item.path.parent] += 1
    items.sort(key=lambda item: _turn(item, numbers[item.path]))


def _turn(item: pytest.Item, number: int) -> tuple[bool, bool, int, Path]:
    is_long = str(item.path).endswith(LONGEST)
    return item.get_closest_marker("alone") is not None, not is_long, number, item.path


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    """A Valkey on a Unix socket, shared by the tests of a process: leave it running."""
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
