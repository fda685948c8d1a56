"""Workers end with the status of their work, and leave their parent alone."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from server.processes.restarts import FIRST_DELAY_SECONDS
from server.processes.workers import _status_of

ROOT = Path(__file__).resolve().parents[3]


def forked(work: str) -> tuple[list[Any], Any, str]:
    """Run two workers; return what they printed, what their parent saw, and standard error."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.unit.processes.forking", work],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    *printed, seen = (json.loads(line) for line in ran.stdout.splitlines())
    return printed, seen, ran.stderr


@pytest.mark.parametrize(
    ("work", "status"), [("return", os.EX_OK), ("exit", 7), ("fail", os.EX_SOFTWARE)]
)
def test_a_worker_ends_with_the_status_of_its_work(work: str, status: int) -> None:
    _, seen, errors = forked(work)
    assert seen["statuses"] == [status] * 2
    assert errors.count("RuntimeError: a mistake") == (2 if work == "fail" else 0)


@pytest.mark.parametrize(
    ("code", "status", "told"), [(None, 0, ""), (3, 3, ""), (256 + 3, 3, ""), ("why", 1, "why\n")]
)
def test_an_exit_code_becomes_a_status(
    capsys: pytest.CaptureFixture[str], code: object, status: int, told: str
) -> None:
    assert _status_of(SystemExit(code)) == status
    assert capsys.readouterr().err == told


def test_what_was_printed_before_the_fork_is_printed_once() -> None:
    printed, _, _ = forked("return")
    assert printed == [{"before": "the fork"}]


def test_a_worker_leaves_the_terminals_signals_to_its_parent_and_blocks_none() -> None:
    printed, _, _ = forked("signals")
    assert len(printed) == 3
    for each in printed[1:]:
        assert {"SIGINT", "SIGHUP"} <= set(each["ignored"])
        assert "SIGTERM" not in each["ignored"]
        assert each["blocked"] == 0


def test_a_signal_that_is_sent_reaches_every_worker() -> None:
    _, seen, _ = forked("wait")
    assert seen["statuses"] == [-signal.SIGTERM] * 2


def test_a_workers_signals_do_not_reach_its_parent() -> None:
    _, seen, _ = forked("end")
    assert seen["statuses"] == [-signal.SIGTERM] * 2
    assert seen["signals"] == ["SIGCHLD"]


def test_workers_are_due_before_their_start_and_after_their_end_and_not_between() -> None:
    _, seen, _ = forked("exit")
    due, running, after = seen["seconds_left"]
    assert (due, running) == (0.0, None)
    assert 0.0 <= after <= FIRST_DELAY_SECONDS


def test_only_a_worker_that_runs_can_exit() -> None:
    _, seen, _ = forked("return")
    assert seen["again"] is False


def test_a_worker_that_is_stopped_can_be_killed_and_only_the_first_time_counts() -> None:
    _, seen, _ = forked("stop")
    assert seen["statuses"] == [-signal.SIGKILL, 0] or seen["statuses"] == [0, -signal.SIGKILL]
    assert seen["killed"] == [True, False]


def test_each_worker_knows_its_place_and_the_parent_has_none() -> None:
    printed, seen, _ = forked("place")
    assert sorted(each["place"] for each in printed[1:]) == [0, 1] == seen["places"]
    assert seen["place"] is None
