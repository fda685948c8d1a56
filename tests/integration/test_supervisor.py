"""The supervisor, driven as a real process: what dies comes back, what stops leaves nothing."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.support.running.processes import eventually, lives, processes_of
from tests.support.servers.valkey import owner_of_embedded


class Supervised:
    """The tests' own supervised server, running."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        """Start it and wait until it has announced itself."""
        self.data_dir = data_dir
        self.process = launch(data_dir, *options)
        assert self.process.stdout is not None
        line = self.process.stdout.readline().split()
        assert line[:1] == ["announced"], self.process.communicate()
        self.port = int(line[1])

    def ask(self, line: str) -> str:
        """Send a line to whichever worker takes the connection, and return the answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(f"{line}\n".encode())
            return connection.makefile().read().strip()

    def worker(self) -> int:
        """Return the process of a worker that answers."""
        return int(self.ask("pid"))

    def workers(self) -> set[int]:
        """Return the worker processes."""
        own = processes_of(self.data_dir, "tests.support.servers.supervised")
        return {pid for pid in own if pid != self.process.pid}

    def await_workers(self, count: int) -> set[int]:
        """Wait until so many run."""
        eventually(lambda: len(self.workers()) == count)
        return self.workers()

    def guards(self) -> list[int]:
        """Return the guard of the store, if it runs."""
        return processes_of(self.data_dir, "server.embedded.guard")


def launch(data_dir: Path, *options: str) -> "subprocess.Popen[str]":
    """Start the server in a process group of its own, as a shell does."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.servers.supervised", data_dir, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )


def close(process: "subprocess.Popen[str]") -> None:
    """End it if a failed test left it, and close its pipes."""
    process.kill()
    process.communicate()


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A data folder, in which no process may be left when the test is over."""
    folder = tmp_path / "data"
    yield folder
    eventually(lambda: not processes_of(folder))


@pytest.fixture
def server(data_dir: Path) -> Iterator[Supervised]:
    """Two workers and the embedded store."""
    supervised = Supervised(data_dir)
    yield supervised
    close(supervised.process)


@pytest.fixture
def light_server(data_dir: Path) -> Iterator[Supervised]:
    """One worker, no store."""
    supervised = Supervised(data_dir, "--no-store", "--processes=1")
    yield supervised
    close(supervised.process)


@pytest.fixture
def stubborn_server(data_dir: Path) -> Iterator[Supervised]:
    """Workers that take no notice of SIGTERM."""
    supervised = Supervised(data_dir, "--stubborn")
    yield supervised
    for pid in processes_of(data_dir, "tests.support.servers.supervised"):
        os.kill(pid, signal.SIGKILL)
    close(supervised.process)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_everything(server: Supervised, signum: signal.Signals) -> None:
    assert len(server.await_workers(2)) == 2
    server.process.send_signal(signum)
    assert server.process.wait(20) == 0
    assert processes_of(server.data_dir) == []


def test_ctrl_c_of_the_terminal_lets_workers_finish(server: Supervised) -> None:
    server.await_workers(2)
    assert server.process.stderr is not None
    os.killpg(server.process.pid, signal.SIGINT)
    assert server.process.wait(20) == 0
    assert server.process.stderr.read() == ""
    assert processes_of(server.data_dir) == []


def test_a_hang_up_ends_nothing(server: Supervised) -> None:
    before = server.await_workers(2)
    for _ in range(5):
        os.killpg(server.process.pid, signal.SIGHUP)
        assert server.worker() in before
    assert server.workers() == before
    server.process.terminate()
    assert server.process.wait(20) == 0


def test_a_hang_up_during_the_start_ends_nothing(data_dir: Path) -> None:
    starting = launch(data_dir)
    eventually(lambda: processes_of(data_dir, "server.embedded.guard"))
    starting.send_signal(signal.SIGHUP)
    assert starting.stdout is not None
    assert starting.stdout.readline().startswith("announced")
    starting.terminate()
    assert starting.wait(20) == 0
    close(starting)


def test_the_port_is_free_again_and_a_second_run_starts_at_once(server: Supervised) -> None:
    server.process.terminate()
    server.process.wait(20)
    again = Supervised(server.data_dir)
    assert again.worker() in again.workers()
    again.process.terminate()
    assert again.process.wait(20) == 0
    close(again.process)


@pytest.mark.parametrize("again", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_kills_workers_that_do_not_stop(
    stubborn_server: Supervised, again: signal.Signals
) -> None:
    stubborn_server.await_workers(2)
    stubborn_server.process.send_signal(signal.SIGINT)
    # The first signal has been dealt with once the workers have been told.
    eventually((stubborn_server.data_dir / "told").exists)
    assert stubborn_server.process.poll() is None
    started = time.monotonic()
    stubborn_server.process.send_signal(again)
    assert stubborn_server.process.wait(20) == 0
    assert time.monotonic() - started < 10
    assert processes_of(stubborn_server.data_dir) == []


def test_nothing_is_left_when_the_supervisor_is_killed(server: Supervised) -> None:
    everything = processes_of(server.data_dir)
    assert len(everything) == 5
    server.process.kill()
    server.process.wait()
    eventually(lambda: not processes_of(server.data_dir))
    assert not any(lives(pid) for pid in everything)


def test_a_killed_worker_is_replaced(server: Supervised) -> None:
    before = server.await_workers(2)
    killed = server.worker()
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: killed not in server.workers())
    after = server.await_workers(2)
    assert len(after & before) == 1


@pytest.mark.parametrize("line", ["exit 0", "exit 1", "raise"])
def test_a_worker_that_ends_is_replaced(light_server: Supervised, line: str) -> None:
    before = light_server.worker()
    assert light_server.ask(line) == ""
    assert light_server.worker() != before


def test_a_worker_that_keeps_dying_is_started_ever_more_slowly(light_server: Supervised) -> None:
    started = time.monotonic()
    for _ in range(5):
        light_server.ask("exit 1")
    light_server.worker()
    # 0.1 + 0.2 + 0.4 + 0.8, and 1.6 unless the first had lived for a second.
    assert 1.4 < time.monotonic() - started < 10


def test_an_unusable_configuration_stops_the_server(server: Supervised) -> None:
    server.ask(f"exit {os.EX_CONFIG}")
    assert server.process.wait(20) == os.EX_CONFIG
    assert processes_of(server.data_dir) == []


def test_a_killed_guard_is_replaced_and_the_data_is_there(server: Supervised) -> None:
    with redis.Redis.from_url(owner_of_embedded(server.data_dir)) as client:
        client.set("key", "kept")
    (killed,) = server.guards()
    valkeys = processes_of(server.data_dir, "valkey-server")
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: not any(lives(pid) for pid in [killed, *valkeys]))
    assert eventually(lambda: value_in(server.data_dir)) == b"kept"
    assert server.guards() not in ([], [killed])


def value_in(data_dir: Path) -> object:
    """Read the key, None as long as nobody answers."""
    try:
        with redis.Redis.from_url(owner_of_embedded(data_dir)) as client:
            return client.get("key")
    except redis.RedisError:
        return None


def test_a_second_start_on_the_folder_says_who_is_there(server: Supervised) -> None:
    second = launch(server.data_dir)
    output, errors = second.communicate(timeout=20)
    assert second.returncode == 1
    assert output == ""
    assert errors == (
        f"another Curfew (pid {server.process.pid}) serves from {server.data_dir}: "
        "stop it first, or set CURFEW_DATA_DIR to another folder\n"
    )
    assert server.worker() in server.workers()


def test_a_start_after_a_kill_waits_for_the_leftovers(server: Supervised) -> None:
    server.process.kill()
    server.process.wait()
    again = Supervised(server.data_dir)
    assert again.worker() in again.workers()
    again.process.terminate()
    assert again.process.wait(20) == 0
    close(again.process)


def test_a_signal_during_the_start_leaves_nothing(data_dir: Path) -> None:
    starting = launch(data_dir)
    eventually(lambda: processes_of(data_dir, "server.embedded.guard"))
    starting.terminate()
    assert starting.wait(20) == 0
    assert processes_of(data_dir) == []
    close(starting)
