"""Signals as service managers, containers and terminals send them, to real processes."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.clients.people import people_of
from tests.support.running.ports import free_port
from tests.support.running.processes import eventually, lives, processes_of
from tests.support.servers.server import ROOT, CurfewServer, ExactServer
from tests.support.servers.workers import workers_of

LATE_WRITE_RUN = ROOT / "tests" / "support" / "servers" / "late_write_run.py"
QUICK_SECONDS = 15.0
"""A drain with idle clients takes a second or two; without its store it would take a minute."""


@pytest.fixture
def server() -> Iterator[CurfewServer]:
    """Two workers and the embedded store."""
    with ExactServer(processes="2") as running:
        eventually(lambda: len(workers_of(running)) == 2)
        yield running


def everybody(server: CurfewServer) -> list[int]:
    """The processes of the service: as systemd finds them in its control group."""
    store = processes_of(server.data_dir)
    assert len(store) == 2
    return [*store[::-1], *workers_of(server), server.pid]


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)], ids=["store", "parent"])
def test_a_signal_to_the_whole_control_group_stops_the_store_last(
    server: CurfewServer, order: slice
) -> None:
    group = everybody(server)[order]
    began = time.monotonic()
    for pid in group:
        os.kill(pid, signal.SIGTERM)
    assert server.stop() == 0
    assert time.monotonic() - began < QUICK_SECONDS
    assert not any(lives(pid) for pid in group)
    assert "WARNING" not in server.log
    assert "ERROR" not in server.log


async def test_the_store_outlives_the_requests_of_a_service_that_stops() -> None:
    with CurfewServer(script=LATE_WRITE_RUN, processes="2") as server:
        await asyncio.to_thread(eventually, lambda: len(workers_of(server)) == 2)
        async with people_of(server.url) as people:
            client = await people.somebody()
            late = asyncio.create_task(client.request("POST", "/late"))
            await asyncio.to_thread(eventually, lambda: "a late write begins" in server.log)
            for pid in everybody(server):
                os.kill(pid, signal.SIGTERM)
            assert (await late).json() == {"written": True}
        assert await asyncio.to_thread(server.stop) == 0
        server.start()
        async with people_of(server.url) as people:
            again = await people.visitor()
            again.cookie = client.cookie
            assert (await again.request("GET", "/api/session/data")).json() == {"late": True}


def unshared(*command: str | Path) -> Sequence[str | Path]:
    """Return a command that runs another as process 1 of a container."""
    flags = ["--pid", "--fork", "--kill-child"]
    program = shutil.which("unshare")
    for more in ([], ["--user", "--map-root-user"]):
        start = [program or "", *more, *flags]
        if program and subprocess.run([*start, "true"], check=False).returncode == 0:
            return [*start, *command]
    pytest.skip("nobody may make a container here")


def handles(pid: int, signum: signal.Signals) -> bool:
    """Tell whether a process has a handler for a signal."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    (caught,) = re.findall(r"^SigCgt:\s*(\w+)$", status, re.MULTILINE)
    return bool(int(caught, 16) & 1 << signum - 1)


@pytest.mark.parametrize("delay", [0.15, 0.3, 0.6, 1.0, 1.5, 2.5])
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_process_1_stops_whenever_it_is_told(
    tmp_path: Path, delay: float, signum: signal.Signals
) -> None:
    environment = os.environ | {
        "CURFEW_DATA_DIR": str(tmp_path / "data"),
        "CURFEW_PORT": str(free_port()),
    }
    command = unshared(sys.executable, ROOT / "run.py")
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE) as outside:
        (inside,) = eventually(lambda: children_of(outside.pid, "run.py"))
        eventually(lambda: handles(inside, signum))  # on a busy machine Python itself takes long
        time.sleep(delay)
        os.kill(inside, signum)
        try:
            assert outside.wait(QUICK_SECONDS) == 0
        finally:
            outside.kill()
        assert outside.stderr is not None
        assert b"Traceback" not in outside.stderr.read()
    eventually(lambda: not processes_of(tmp_path))


@pytest.mark.parametrize("delay", [0.004, 0.02])
def test_process_1_loses_no_signal_while_python_starts(tmp_path: Path, delay: float) -> None:
    """The container's command blocks it, so that the kernel keeps it until Python has begun."""
    environment = os.environ | {"CURFEW_DATA_DIR": str(tmp_path / "data")}
    blocked = [shutil.which("env") or "", "--block-signal=TERM,INT"]
    command = unshared(*blocked, sys.executable, ROOT / "run.py")
    with subprocess.Popen(command, cwd=ROOT, env=environment) as outside:
        (inside,) = eventually(lambda: children_of(outside.pid, "run.py"))
        time.sleep(delay)
        os.kill(inside, signal.SIGTERM)
        try:
            assert outside.wait(QUICK_SECONDS) == 0
        finally:
            outside.kill()
    assert not (tmp_path / "data").exists(), "it stopped before it had begun"


def children_of(parent: int, name: str) -> list[int]:
    """List the children of a process that run a program."""
    listing = subprocess.run(
        ["ps", "-axww", "-o", "pid=,ppid=,command="], capture_output=True, text=True, check=True
    ).stdout
    lines = (line.split(None, 2) for line in listing.splitlines())
    return [int(pid) for pid, of, command in lines if of == str(parent) and command.endswith(name)]


def test_ctrl_c_reaches_the_whole_group_and_everybody_ends_well(server: CurfewServer) -> None:
    os.killpg(server.pid, signal.SIGINT)
    assert server.stop(signal.SIGCONT) == 0
    assert "Traceback" not in server.log


def test_a_terminal_that_closes_ends_nothing(server: CurfewServer) -> None:
    before = everybody(server)
    for pid in before:
        os.kill(pid, signal.SIGHUP)
    eventually(lambda: "reloading" in server.log)
    time.sleep(1.0)
    assert everybody(server) == before
    assert all(lives(pid) for pid in before)
