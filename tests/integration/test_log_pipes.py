"""Nobody reads the log, or its reader is gone: the server serves and stops as if somebody did."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Self
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.support.running.processes import eventually
from tests.support.servers.server import ROOT, CurfewServer

LONG = "/" + "x" * 8000
ENOUGH = 700
"""Lines of 8 KB: more than a pipe, and more than the queue of a process."""
SLOW_SECONDS = 2.0
STOP_SECONDS = 15.0


class PipedServer(CurfewServer):
    """A server whose standard output and error are one pipe."""

    def start(self) -> Self:
        """Start it and wait until it is ready. Nobody reads."""
        self.read_end, write_end = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, str(ROOT / "run.py")],
            cwd=ROOT,
            env=self.environment,
            stdout=write_end,
            stderr=write_end,
            start_new_session=True,
        )
        os.close(write_end)
        self.log_path.touch()
        eventually(self._is_ready)
        return self

    def read(self) -> str:
        """Read everything, until the last process has closed the pipe."""
        with os.fdopen(self.read_end, "rb") as pipe:
            return pipe.read().decode()


@pytest.fixture
def server() -> Iterator[PipedServer]:
    with PipedServer(processes="1", log_format="json") as running:
        yield running


def ask(server: PipedServer, path: str = LONG) -> float:
    """Ask for a page that is not there, and return the seconds that this takes."""
    began = time.monotonic()
    with pytest.raises(HTTPError, match="404"):
        urlopen(f"{server.url}{path}", timeout=20)
    return time.monotonic() - began


def lost_lines(server: PipedServer) -> int:
    """What the metric says."""
    with urlopen(f"{server.url}/metrics", timeout=20) as answer:
        text = answer.read().decode()
    found = re.search(r"curfew_log_lines_lost_total\{.*\} (\S+)", text)
    assert found is not None
    return int(float(found[1]))


def test_a_pipe_that_nobody_reads_stops_nobody_and_the_gap_is_counted_and_said(
    server: PipedServer,
) -> None:
    assert max(ask(server) for _ in range(ENOUGH)) < SLOW_SECONDS
    lost = lost_lines(server)
    assert 0 < lost < ENOUGH
    text = os.read(server.read_end, 1 << 20)
    while b" lost: they could not" not in text[-100_000:]:
        text += os.read(server.read_end, 1 << 20)
    ask(server, "/last")
    assert server.stop() == 0
    lines = (text.decode() + server.read()).splitlines()[1:]  # the first is the announcement
    messages = [json.loads(line)["message"] for line in lines]
    told = sum(int(each.split()[0]) for each in messages if " lost: they could not" in each)
    assert told - lost in {0, 1}  # the scrape's own line may be lost, too
    assert ENOUGH <= sum(LONG in each for each in messages) + told <= ENOUGH + 1
    assert sum("/last" in each for each in messages) == 1


def test_a_stop_is_quick_though_nobody_reads(server: PipedServer) -> None:
    for _ in range(ENOUGH):
        ask(server)
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < STOP_SECONDS
    os.close(server.read_end)


def test_a_reader_that_is_gone_changes_nothing(server: PipedServer) -> None:
    os.close(server.read_end)
    assert max(ask(server, "/nothing") for _ in range(20)) < SLOW_SECONDS
    eventually(lambda: lost_lines(server) >= 20)
    assert server.stop() == 0


def test_nothing_is_lost_at_a_stop(server: PipedServer) -> None:
    for _ in range(200):
        ask(server, "/nothing")
    assert server.stop() == 0
    assert server.read().count("404 GET /nothing") == 200
