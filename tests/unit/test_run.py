"""The entry: each failure has its exit status and one line on standard error."""

import errno
import os
from collections.abc import Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import run
from server.commands.command import Command
from server.commands.errors import CommandFailed
from server.core.errors import ConfigurationError, StoreNotReached, StoreUnavailable
from server.embedded.store import StoreStartFailed
from server.processes.lock import AlreadyRunning, FolderUnusable

FOLDER = Path("/somewhere")


def end(monkeypatch: pytest.MonkeyPatch, failure: Exception | None) -> int:
    """Return the exit status of a command that fails so, or does not."""

    def act() -> None:
        if failure is not None:
            raise failure

    monkeypatch.setattr(run, "COMMANDS", (Command("act", "", act),))
    return run.main(["act"])


@pytest.mark.parametrize(
    ("failure", "status", "line"),
    [
        (ConfigurationError("CURFEW_X is wrong."), os.EX_CONFIG, "CURFEW_X is wrong."),
        (FolderUnusable(FOLDER, "No"), os.EX_CONFIG, str(FolderUnusable(FOLDER, "No"))),
        (OSError(errno.EMFILE, "Too many open files", "/x"), os.EX_OSERR,
         "The system has no room for Curfew: /x: Too many open files."),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), os.EX_OSERR,
         "The system has no room for Curfew: Cannot allocate memory."),
        (CommandFailed("There is none."), 1, "There is none."),
        (AlreadyRunning(FOLDER, 7), 1, str(AlreadyRunning(FOLDER, 7))),
        (StoreStartFailed(FOLDER, "no"), 1, str(StoreStartFailed(FOLDER, "no"))),
        (StoreNotReached("load", "", "db:6379", "Start it."), 1,
         "The store at db:6379 could not be used. Start it."),
        (StoreUnavailable("load"), 1,
         "the store did not answer load. Is CURFEW_STORE_URL right, and the store running?"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else "",
)  # fmt: skip
def test_a_failure_is_one_line_and_a_status(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    failure: Exception,
    status: int,
    line: str,
) -> None:
    assert end(monkeypatch, failure) == status
    assert capsys.readouterr() == ("", f"{line}\n")


def test_a_command_that_did_its_work_has_status_0(monkeypatch: pytest.MonkeyPatch) -> None:
    assert end(monkeypatch, None) == os.EX_OK


@pytest.mark.parametrize("mistake", [ZeroDivisionError(), FileNotFoundError(2, "No such file")])
def test_a_mistake_in_the_program_is_not_hidden(
    monkeypatch: pytest.MonkeyPatch, mistake: Exception
) -> None:
    with pytest.raises(type(mistake)):
        end(monkeypatch, mistake)


def test_an_application_that_cannot_start_has_the_same_line_and_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CURFEW_IDLE_TIMEOUT", "soon")
    assert run.serve() == run.main([]) == os.EX_CONFIG
    first, second = capsys.readouterr().err.splitlines()
    assert first == second
    assert first.startswith("CURFEW_IDLE_TIMEOUT is 'soon'; it takes")


def test_a_wait_for_the_store_leaves_the_workers_all_their_time_to_begin(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clock, until = [1000.0], list[float]()

    def listen(*_: object) -> list[object]:
        clock[0] += 300.0
        return []

    def supervise(*, bind: Any, serve: Any, **_: object) -> int:
        serve(bind(), None)
        return os.EX_OK

    def work(serving: Coroutine[None, None, None], *_others: object, begins_until: float) -> None:
        serving.close()
        until.append(begins_until)

    monkeypatch.setenv("CURFEW_DATA_DIR", str(tmp_path))
    for name, double in (("listen", listen), ("supervise", supervise), ("_work", work)):
        monkeypatch.setattr(run, name, double)
    monkeypatch.setattr(run, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(run, "configure_logging", lambda *_: None)
    assert run.serve() == os.EX_OK
    assert until == [clock[0] + run.START_SECONDS + 2 * 5.0]


def test_without_a_command_it_serves() -> None:
    assert run.command_line().parse_args([]).run is run.serve
