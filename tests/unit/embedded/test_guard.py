"""What the guard asks of Valkey, and when it gives up; the integration test has the rest."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from server.embedded.guard import Guard, _OwnerGone
from server.processes.lock import locked_folder, try_lock
from server.processes.signals import SignalInbox


@dataclass
class Owner:
    """In place of the server: the writing end of the pipe that the guard watches."""

    write_end: int

    def leave(self) -> None:
        """Close the pipe, as the death of a process does."""
        os.close(self.write_end)


@pytest.fixture
def owner(monkeypatch: pytest.MonkeyPatch) -> Iterator[Owner]:
    read_end, write_end = os.pipe()
    monkeypatch.setattr("server.embedded.guard.STDIN", read_end)
    yield Owner(write_end)
    os.close(read_end)


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[Guard]:
    (tmp_path / "valkey").mkdir()
    with SignalInbox(signal.SIGTERM) as inbox:
        yield Guard(tmp_path, inbox)


@pytest.fixture(params=["guard.lock", "lock"])
def locked(request: pytest.FixtureRequest, guard: Guard, tmp_path: Path) -> Iterator[None]:
    """Another guard, or a Valkey without one, uses the folder."""
    assert guard is not None
    with (tmp_path / "valkey" / request.param).open("a", encoding="ascii") as lock:
        assert try_lock(lock)
        yield


def test_an_end_that_was_answered_survives_a_crash_and_a_full_store(guard: Guard) -> None:
    settings = guard._settings()
    assert (settings["appendonly"], settings["appendfsync"]) == ("yes", "always")
    assert settings["maxmemory-policy"] == "noeviction"


def test_nobody_else_can_reach_the_store(guard: Guard, tmp_path: Path) -> None:
    settings = guard._settings()
    assert settings["port"] == "0"
    assert settings["unixsocketperm"] == "700"
    assert settings["aclfile"] == tmp_path / "valkey" / "users.acl"


@pytest.mark.usefixtures("locked")
def test_a_folder_that_stays_in_use_is_given_up(
    guard: Guard, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.embedded.guard.LOCK_SECONDS", 0.1)
    assert guard.run() == os.EX_TEMPFAIL
    owner.leave()


@pytest.mark.usefixtures("locked")
def test_a_guard_whose_server_is_gone_waits_no_longer(guard: Guard, owner: Owner) -> None:
    owner.leave()
    assert guard.run() == os.EX_OK


@pytest.mark.usefixtures("locked")
def test_a_guard_that_is_told_to_stop_waits_no_longer(guard: Guard, owner: Owner) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    assert guard.run() == os.EX_OK
    owner.leave()


@pytest.mark.usefixtures("owner")
def test_a_guard_that_is_told_to_stop_waits_for_the_server_in_the_folder(
    guard: Guard, tmp_path: Path
) -> None:
    with locked_folder(tmp_path):
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(3):
            guard._wait(0.01)
    with pytest.raises(_OwnerGone):
        guard._wait(0.01)
