"""Tests of how tests are run: side by side, some alone, each with ports of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from curfew.testing import ports
from tests.conftest import LONGEST
from tests.support.running.ports import PORTS, free_port
from tests.support.running.runs import run_pytest
from tests.support.running.slowest import LONG_RUN
from tests.support.servers.server import ROOT

EPHEMERAL_FROM = 32_768
"""The first port that Linux gives to an outgoing connection; macOS begins later."""

NOTES = """
import os, pathlib, pytest, time
notes = pathlib.Path({notes!r})

def note(word):
    with notes.open("a") as file:
        file.write(word + "\\n")
    time.sleep(0.05)
"""
QUIET = """
@pytest.mark.{mark}
@pytest.mark.parametrize("number", range(3))
def test_quiet(number):
    note("in")
    note("out")
"""
SHARED = """
@pytest.mark.parametrize("number", range(20))
def test_shared(number):
    note("shared")
"""
OTHER = """
import itertools, sys
from curfew.testing import ports
start = int(sys.argv[1])
ports._ports = itertools.cycle([*range(start, ports.PORTS.stop), *ports.PORTS])
print(*(ports.free_port() for _ in range(10)))
"""
"""It looks at the same ports first."""
WAITING = """
@pytest.mark.waits
def test_waits_for_its_like():
    note("here")
    deadline = time.monotonic() + 20
    while notes.read_text().count("here") < 2:
        assert time.monotonic() < deadline, "nobody came in"
        time.sleep(0.01)
"""
HANGING = """
import threading, pytest

@pytest.fixture
def hanging():
    yield
    threading.Event().wait()

def test_fails(hanging):
    assert False
"""


def test_a_fixture_that_hangs_after_a_failed_test_ends_the_run_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "test_hangs.py").write_text(HANGING)
    done = run_pytest(tmp_path, "-o", "faulthandler_timeout=5")
    assert done.returncode == 1
    assert "Timeout" in done.stderr
    assert "in hanging" in done.stderr


def test_a_long_run_ends_with_its_slowest_files(tmp_path: Path) -> None:
    for number in range(LONG_RUN + 1):
        pause = "import time; time.sleep(0.5)" if number == 7 else "pass"
        (tmp_path / f"test_{number}.py").write_text(f"def test_it(): {pause}\n")
    done = run_pytest(tmp_path)
    heading = f"slowest 10 of {LONG_RUN + 1} files"
    _, _, unit, first = done.stdout.partition(heading)[2].split()[:4]
    assert (unit, first) == ("s", "test_7.py"), done.stdout


@pytest.mark.parametrize("name", LONGEST)
def test_a_file_that_begins_first_is_there(name: str) -> None:
    assert (ROOT / "tests" / name).is_file()


@pytest.mark.parametrize("mark", ["alone", "waits"])
def test_what_needs_a_quiet_machine_runs_while_no_other_does(tmp_path: Path, mark: str) -> None:
    notes = tmp_path / "notes"
    head = NOTES.format(notes=str(notes))
    for name, text in (("one", QUIET.format(mark=mark)), ("two", SHARED), ("three", SHARED)):
        (tmp_path / f"test_{name}.py").write_text(head + text)
    done = run_pytest(tmp_path, "-n3")
    assert done.returncode == 0, done.stdout + done.stderr
    words = notes.read_text().split()
    assert words.count("in") == 3
    assert words.count("shared") == 40
    following = [words[at + 1] for at, word in enumerate(words) if word == "in"]
    assert following == ["out"] * 3


def test_those_that_wait_run_beside_each_other(tmp_path: Path) -> None:
    for name in ("one", "two"):
        text = NOTES.format(notes=str(tmp_path / "notes")) + WAITING
        (tmp_path / f"test_{name}.py").write_text(text)
    done = run_pytest(tmp_path, "-n2")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_port_is_given_once_below_those_of_outgoing_connections() -> None:
    given = [free_port() for _ in range(100)]
    assert len(set(given)) == 100
    assert set(given) <= set(PORTS)
    assert max(PORTS) < EPHEMERAL_FROM


def test_no_other_process_is_given_a_port_that_nobody_listens_on_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor one of a server that is just being restarted."""
    given = {free_port() for _ in range(5)}
    ran = subprocess.run(
        [sys.executable, "-c", OTHER, str(min(given))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    others = set(map(int, ran.stdout.split()))
    assert len(others) == 10
    assert not others & given
    monkeypatch.setattr(ports, "_ports", iter(sorted(others)))
    assert free_port() in others, "what a process that has ended was given is free again"
