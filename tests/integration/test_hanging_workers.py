"""A worker that is stopped or stuck is noticed and replaced; a machine that slept kills nobody."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.request import urlopen

import pytest

from tests.support.running.processes import eventually, lives
from tests.support.servers.server import ROOT, CurfewServer
from tests.support.servers.workers import workers_of

LIMIT = 3.0
STUCK_RUN = ROOT / "tests" / "support" / "servers" / "stuck_run.py"


@pytest.fixture
def server() -> Iterator[CurfewServer]:
    """Two workers under a watchdog, which can be asked to be stuck."""
    with CurfewServer(script=STUCK_RUN, processes="2", watchdog="3s", node_lease="2s") as running:
        eventually(lambda: len(workers_of(running)) == 2)
        yield running


def await_replacement(server: CurfewServer, victim: int) -> float:
    """Wait until another worker runs in its place; return the seconds that it took."""
    began = time.monotonic()
    eventually(lambda: not lives(victim), 4 * LIMIT)
    took = time.monotonic() - began
    eventually(lambda: len(set(workers_of(server)) - {victim}) == 2)
    return took


def answers(server: CurfewServer) -> set[int]:
    """Ask often enough that every worker answers, and return the status codes."""
    with ThreadPoolExecutor(8) as pool:
        return set(pool.map(lambda _: status_of(server, "/readyz"), range(60)))


def status_of(server: CurfewServer, path: str) -> int:
    """Ask once."""
    try:
        with urlopen(f"{server.url}{path}", timeout=5) as answer:
            return int(answer.status)
    except OSError as error:
        return getattr(error, "code", 0)


def test_a_stopped_worker_is_replaced_within_the_bound(server: CurfewServer) -> None:
    victim, other = workers_of(server)
    os.kill(victim, signal.SIGSTOP)
    assert LIMIT - 1 < await_replacement(server, victim) < LIMIT + 2
    assert other in workers_of(server)
    assert f"worker {victim} hangs" in server.log
    eventually(lambda: answers(server) == {200})


def test_a_worker_whose_loop_is_stuck_is_replaced_within_the_bound(server: CurfewServer) -> None:
    before = set(workers_of(server))
    assert status_of(server, "/stuck") == 0  # it never answers: its worker is killed
    eventually(lambda: len(before - set(workers_of(server))) == 1)
    eventually(lambda: len(workers_of(server)) == 2)
    assert server.log.count(" hangs") == 1
    eventually(lambda: answers(server) == {200})


def test_after_everything_was_suspended_everybody_lives(server: CurfewServer) -> None:
    before = workers_of(server)
    everybody = [server.pid, *before]
    for pid in everybody:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(2 * LIMIT)
    for pid in everybody:
        os.kill(pid, signal.SIGCONT)
    time.sleep(LIMIT)
    assert workers_of(server) == before
    assert " hangs" not in server.log


def test_a_stop_does_not_wait_long_for_a_worker_that_is_stopped(server: CurfewServer) -> None:
    os.kill(workers_of(server)[0], signal.SIGSTOP)
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < LIMIT + 4


def test_the_watchdog_can_be_switched_off_for_a_debugger() -> None:
    with CurfewServer(watchdog="off") as server:
        (worker,) = workers_of(server)
        os.kill(worker, signal.SIGSTOP)
        time.sleep(2 * LIMIT)
        assert workers_of(server) == [worker]
        os.kill(worker, signal.SIGCONT)
