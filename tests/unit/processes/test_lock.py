"""A data folder is held by one server, and is free when the last of its processes is gone."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.processes import lock
from server.processes.lock import (
    AlreadyRunning,
    FolderUnusable,
    is_locked,
    locked_folder,
    try_lock,
)

KILLED_SERVER = """
import os, sys
from pathlib import Path
from server.processes.lock import locked_folder
with locked_folder(Path(sys.argv[1])):
    if os.fork():
        os._exit(0)  # gone without a farewell, as if killed
    print("left", flush=True)
    sys.stdin.read()
"""
"""Leaves a worker behind, which shares the lock until its standard input ends."""


@pytest.fixture
def leftover(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A worker that outlives its server; closing its standard input ends it."""
    with subprocess.Popen(
        [sys.executable, "-c", KILLED_SERVER, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        assert server.stdout.readline() == "left\n"
        server.wait()
        yield server


def end(leftover: "subprocess.Popen[str]") -> None:
    """Let the worker go, and wait until it is gone."""
    assert leftover.stdin is not None
    assert leftover.stdout is not None
    leftover.stdin.close()
    assert leftover.stdout.read() == ""


def test_the_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "some" / "data"
    with locked_folder(folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_second_server_is_told_at_once_who_holds_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("waits for a server that lives"))
    with locked_folder(tmp_path):
        with pytest.raises(AlreadyRunning) as refused, locked_folder(tmp_path):
            pass
        assert refused.value.pid == os.getpid()
        assert str(refused.value).startswith(f"another Curfew (pid {os.getpid()}) serves from")


def test_a_holder_that_cannot_be_read_is_not_named(tmp_path: Path) -> None:
    (tmp_path / "server.lock").write_text("nonsense")
    with (tmp_path / "server.lock").open("a+", encoding="ascii") as file:
        assert try_lock(file)
        with pytest.raises(AlreadyRunning, match="pid unknown"), locked_folder(tmp_path):
            pass


def test_the_folder_is_free_after_its_server(tmp_path: Path) -> None:
    for _ in range(2):
        with locked_folder(tmp_path):
            assert (tmp_path / "server.lock").read_text() == f"{os.getpid()}\n"


def test_a_start_waits_for_the_workers_of_a_killed_server(
    tmp_path: Path, leftover: "subprocess.Popen[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def end_instead_of_sleeping(seconds: float) -> None:
        waits.append(seconds)
        end(leftover)

    monkeypatch.setattr("time.sleep", end_instead_of_sleeping)
    with locked_folder(tmp_path):
        assert set(waits) == {lock.POLL_SECONDS}


def test_a_start_does_not_wait_for_ever(
    tmp_path: Path, leftover: "subprocess.Popen[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "LEFTOVERS_SECONDS", 0.0)
    with pytest.raises(AlreadyRunning) as refused, locked_folder(tmp_path):
        pass
    assert refused.value.pid == leftover.pid
    end(leftover)


def test_a_lock_is_free_again_when_its_file_is_closed(tmp_path: Path) -> None:
    with (tmp_path / "file").open("a") as one, (tmp_path / "file").open("a") as two:
        assert try_lock(one)
        assert not try_lock(two)
        one.close()
        assert try_lock(two)


def test_a_folder_is_locked_while_a_server_or_its_worker_lives(
    tmp_path: Path, leftover: "subprocess.Popen[str]"
) -> None:
    assert is_locked(tmp_path)
    end(leftover)
    assert not is_locked(tmp_path)
    with locked_folder(tmp_path):
        assert is_locked(tmp_path)
    assert not is_locked(tmp_path)


def test_a_folder_without_a_lock_is_not_locked_and_gets_none(tmp_path: Path) -> None:
    assert not is_locked(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_used_is_named_with_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "data"):
        with pytest.raises(FolderUnusable) as caught, locked_folder(folder):
            pytest.fail("it was locked")
        assert str(caught.value).startswith(f"CURFEW_DATA_DIR: {folder} cannot be used: ")
        assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_required_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with locked_folder(tmp_path / "file" / "data", required=False):
        pass
    with locked_folder(tmp_path, required=False):
        assert is_locked(tmp_path), "one that can be used is locked all the same"
