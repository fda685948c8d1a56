"""A service manager is told what changes, once, and a server that cannot mend itself is silent."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.processes.service_manager import UNTIL_READY_SECONDS, ServiceManager

LIMIT = 30.0


class Clock:
    """A monotonic clock that moves when a test says so."""

    now = 100.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


class Manager:
    """The other end."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)

    def heard(self) -> list[str]:
        """Return all messages since the last call."""
        messages = []
        while True:
            try:
                messages.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return messages


@pytest.fixture
def address(tmp_path: Path) -> str:
    return str(tmp_path / "notify")


@pytest.fixture
def manager(address: str) -> Iterator[Manager]:
    made = Manager(address)
    yield made
    made.socket.close()


def test_ready_is_told_once_when_a_worker_serves(address: str, manager: Manager) -> None:
    told = ServiceManager(address)
    told.look(serving=0, workers=2, alive=True)
    assert manager.heard() == []
    assert told.seconds_left == UNTIL_READY_SECONDS
    told.look(serving=1, workers=2, alive=True)
    told.look(serving=1, workers=2, alive=True)
    assert manager.heard() == ["READY=1", "STATUS=Workers that serve: 1 of 2."]
    assert told.seconds_left is None
    told.look(serving=2, workers=2, alive=True)
    assert manager.heard() == ["STATUS=Workers that serve: 2 of 2."]


def test_a_reload_is_over_when_it_is_said_to_be(address: str, manager: Manager) -> None:
    clock = Clock()
    told = ServiceManager(address, monotonic=clock)
    told.look(serving=1, workers=1, alive=True)
    manager.heard()
    told.reloading()
    assert manager.heard() == ["RELOADING=1\nMONOTONIC_USEC=100000000\nSTATUS=Reloading."]
    told.look(serving=1, workers=1, alive=True, reloading=True)
    assert manager.heard() == []
    told.look(serving=1, workers=1, alive=True)
    assert manager.heard() == ["READY=1", "STATUS=Workers that serve: 1 of 1."]


def test_the_watchdog_is_fed_in_time_and_only_by_a_server_that_mends_itself(
    address: str, manager: Manager
) -> None:
    clock = Clock()
    told = ServiceManager(address, LIMIT, clock)
    told.look(serving=1, workers=1, alive=True)
    assert told.seconds_left == LIMIT / 3
    manager.heard()
    fed = 0
    for _ in range(60):
        clock.now += 1.0
        told.look(serving=1, workers=1, alive=True)
        fed += len(manager.heard())
    assert 6 <= fed <= 12
    clock.now += LIMIT
    told.look(serving=1, workers=1, alive=False)
    assert manager.heard() == []
    told.feed_while_stopping()
    assert manager.heard() == ["WATCHDOG=1"]


def test_starts_and_stops_say_how_long_they_may_take(address: str, manager: Manager) -> None:
    told = ServiceManager(address)
    told.starting(60.5)
    told.stopping(80.0)
    started, stopped = manager.heard()
    assert "EXTEND_TIMEOUT_USEC=60500000" in started.splitlines()
    assert stopped.splitlines()[0] == "STOPPING=1"
    assert "EXTEND_TIMEOUT_USEC=80000000" in stopped.splitlines()


def test_an_abstract_address_is_one(tmp_path: Path) -> None:
    name = f"curfew-{tmp_path.name}-{os.getpid()}"
    manager = Manager(f"\0{name}")
    ServiceManager(f"@{name}").starting(1.0)
    assert len(manager.heard()) == 1
    manager.socket.close()


def test_nobody_who_listens_hinders_nothing(address: str) -> None:
    ServiceManager(address).starting(1.0)
    nobody = ServiceManager("", LIMIT)
    nobody.look(serving=1, workers=1, alive=True)
    assert nobody.seconds_left is None


@pytest.mark.parametrize(
    ("variables", "address", "feeds"),
    [
        ({}, "", None),
        ({"NOTIFY_SOCKET": "relative"}, "", None),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "30000000"}, "/x", 10.0),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, "/x", 10.0),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, "/x", None),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "soon"}, "/x", None),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "0"}, "/x", None),
        ({"WATCHDOG_USEC": "30000000"}, "", None),
    ],
)
def test_the_environment_names_it(
    variables: dict[str, str], address: str, feeds: float | None
) -> None:
    told = ServiceManager.of_environment(variables, 7)
    assert told._address == address
    assert told._feed_seconds == feeds
