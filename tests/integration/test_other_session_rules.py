"""Nodes with other session rules on one store: refused, unless a change is announced."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import httpx
import pytest

from server.core.rule_differences import SETTINGS
from server.store.names import ShardNames
from tests.support.clients.client import Client
from tests.support.engine.keys import KEY, text_of
from tests.support.running.processes import eventually
from tests.support.servers.server import ROOT, CurfewServer
from tests.support.servers.valkey import ValkeyServer
from tests.support.servers.workers import workers_of

OTHER_VALUES = {
    "idle_timeout": "5s",
    "absolute_timeout": "1h",
    "remember_idle_timeout": "24h",
    "remember_absolute_timeout": "48h",
    "rotation_interval": "1m",
    "rotation_grace": "5s",
    "reauthentication_window": "90s",
    "touch_interval": "1s",
    "max_sessions_per_user": "3",
    "second_factor": "required",
}


@pytest.fixture(scope="module")
def store() -> Iterator[ValkeyServer]:
    """A store that the servers of a test share."""
    with ValkeyServer() as running:
        yield running


@pytest.fixture
def first(store: ValkeyServer) -> Iterator[CurfewServer]:
    """A server that runs with the default rules."""
    store.flush()
    with server_on(store) as running:
        yield running


def server_on(store: ValkeyServer, **settings: str) -> CurfewServer:
    """A server that is not started."""
    shared = {"store_url": store.url, "secret_keys": text_of(KEY), "node_lease": "2s"}
    return CurfewServer(**shared | settings)  # type: ignore[arg-type]  # none is the script


@contextmanager
def stopped(store: ValkeyServer, **settings: str) -> Iterator[CurfewServer]:
    """Clean up behind a server without starting it before."""
    with ExitStack() as stack:
        yield stack.push(server_on(store, **settings))


def refused(server: CurfewServer) -> str:
    """The line with which a server does not start."""
    answer = server.command()
    assert answer.returncode == os.EX_CONFIG, answer
    (line,) = [each for each in answer.stderr.splitlines() if "same session rules" in each]
    assert "Traceback" not in answer.stderr
    return line


def test_every_rule_has_a_setting_and_another_value_here() -> None:
    assert {f"CURFEW_{name.upper()}" for name in OTHER_VALUES} == set(SETTINGS.values())


async def test_a_node_with_another_timeout_is_refused_before_it_ends_anything(
    store: ValkeyServer, first: CurfewServer
) -> None:
    async with Client(first.url) as ann:
        await ann.sign_up("ann")
        with stopped(store, idle_timeout="500ms") as second:
            line = refused(second)
        assert "CURFEW_IDLE_TIMEOUT is 500ms here and 30m at node" in line
        assert f"process {workers_of(first)[0]}" in line
        assert "CURFEW_RULES_CHANGE=rolling" in line
        assert (await ann.request("GET", "/api/session")).status_code == 200


def test_each_rule_that_differs_is_named(store: ValkeyServer, first: CurfewServer) -> None:
    with stopped(store, **OTHER_VALUES) as second:
        line = refused(second)
    assert first.pid
    for name in SETTINGS.values():
        assert f"{name} is " in line


def test_a_change_is_announced_by_the_nodes_that_bring_it(
    store: ValkeyServer, first: CurfewServer
) -> None:
    with server_on(store, idle_timeout="1h", rules_change="rolling") as second:
        told = "session rules differ while they change: CURFEW_IDLE_TIMEOUT is "
        eventually(lambda: f"{told}1h here and 30m at node" in second.log)
        eventually(lambda: f"{told}30m here and 1h at node" in first.log)
        doctor = first.command("doctor")
        assert "rules      CURFEW_IDLE_TIMEOUT is 30m here and 1h at node" in doctor.stdout
        assert doctor.returncode == 0
        # A worker of the first that dies comes back, although its own settings announce nothing.
        (worker,) = workers_of(first)
        os.kill(worker, signal.SIGKILL)
        eventually(lambda: workers_of(first) not in ([], [worker]) and is_ready(first))
        first.stop()
        with server_on(store, idle_timeout="1h") as third:
            eventually(lambda: "all nodes have the same session rules" in second.log)
            assert "differ" not in third.log


def is_ready(server: CurfewServer) -> bool:
    """Whether it serves."""
    try:
        return httpx.get(f"{server.url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_one_server_stops_changes_and_starts_without_ceremony(
    store: ValkeyServer, first: CurfewServer, how: signal.Signals
) -> None:
    """Also if it was killed: its lease is waited for."""
    first.stop(how)
    with server_on(store, idle_timeout="1h") as again:
        assert "differ" not in again.log
        eventually(lambda: notes(store) == 1)
    assert notes(store) == 0


def notes(store: ValkeyServer) -> int:
    """How many nodes have a note."""
    with store.client() as owner:
        number = owner.hlen(ShardNames(0).rules)
    assert isinstance(number, int)
    return number


def test_of_two_that_begin_at_once_one_serves(store: ValkeyServer) -> None:
    for _ in range(3):
        store.flush()
        with stopped(store, idle_timeout="1h") as one, stopped(store) as two:
            running = [
                subprocess.Popen(
                    [sys.executable, "run.py"],
                    cwd=ROOT,
                    env=each.environment,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
                for each in (one, two)
            ]
            try:
                (ended,) = eventually(partial(ended_of, running))
                assert ended.returncode == os.EX_CONFIG
            finally:
                for each in running:
                    each.terminate()
                assert sorted(each.wait(30) for each in running) == [0, os.EX_CONFIG]


def ended_of(running: "list[subprocess.Popen[bytes]]") -> "list[subprocess.Popen[bytes]]":
    """Those that have ended."""
    return [each for each in running if each.poll() is not None]


def test_what_a_flushed_store_forgot_is_noted_again_and_garbage_is_no_node(
    store: ValkeyServer, first: CurfewServer
) -> None:
    with store.client() as owner:
        owner.flushall()
        owner.hset(ShardNames(0).rules, "stranger", "no rules")
        eventually(lambda: owner.hkeys(ShardNames(0).rules) not in ([], [b"stranger"]))
        eventually(lambda: b"stranger" not in owner.hkeys(ShardNames(0).rules))
    assert "Traceback" not in first.log
    with stopped(store, rotation_grace="1s") as second:
        assert "CURFEW_ROTATION_GRACE is 1s here and 30s at node" in refused(second)


def test_commands_by_other_rules_say_so_and_do_not_write_records(
    store: ValkeyServer, first: CurfewServer
) -> None:
    assert first.pid
    with stopped(store, idle_timeout="5s") as other:
        assert "CURFEW_IDLE_TIMEOUT is 5s here" in other.command("sessions", "list").stderr
        resealed = other.command("keys", "reseal")
        assert (resealed.returncode, "CURFEW_IDLE_TIMEOUT" in resealed.stderr) == (1, True)
        doctor = other.command("doctor")
        assert (doctor.returncode, "same session rules" in doctor.stderr) == (1, True)
        assert other.command("sessions", "end", "--all", "--yes").returncode == 0
