"""The parent's thread for metrics: it hears of workers, and a fork takes nothing of it along."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from handlers.serving.exporter import Exporter
from tests.support.running.processes import eventually


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


@pytest.fixture
def exporter(listening: socket.socket) -> Iterator[Exporter]:
    """Serves the metrics of two workers, of which none has started."""
    exporter = Exporter()
    exporter.prepare(2)
    exporter.listen_on([listening])
    exporter.begin()
    yield exporter
    exporter.finish()
    exporter.finish()  # once more changes nothing


def scraped(listening: socket.socket) -> str:
    """Scrape it."""
    with urlopen(f"http://127.0.0.1:{listening.getsockname()[1]}/metrics", timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def test_a_worker_is_told_of_from_its_start_to_its_end(
    exporter: Exporter, listening: socket.socket
) -> None:
    assert 'curfew_workers{node="all",state="starting"} 0.0' in scraped(listening)
    exporter.started(1, 2**30)
    eventually(lambda: 'state="starting"} 1.0' in scraped(listening))
    exporter.ended(1, "hang")
    eventually(lambda: 'why="hang"} 1.0' in scraped(listening))
    assert 'state="starting"} 0.0' in scraped(listening)


def test_what_was_told_before_the_thread_began_is_not_lost(listening: socket.socket) -> None:
    exporter = Exporter()
    exporter.prepare(1)
    exporter.listen_on([listening])
    exporter.started(0, 2**30)
    exporter.begin()
    try:
        eventually(lambda: 'state="starting"} 1.0' in scraped(listening))
        exporter.ended(0, "exit")
        eventually(lambda: 'why="exit"} 1.0' in scraped(listening))
    finally:
        exporter.finish()


def is_open(file: int) -> bool:
    """Whether this process has the file descriptor."""
    try:
        os.fstat(file)
    except OSError:
        return False
    return True


def test_a_forked_worker_keeps_its_own_end_alone(
    exporter: Exporter, listening: socket.socket
) -> None:
    before = {int(each.name) for each in Path("/dev/fd").iterdir()}
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        own = exporter.enter_worker(1)
        left = [each for each in before if is_open(each)]
        alone = is_open(own.fileno()) and not is_open(listening.fileno())
        os.write(write, f"{alone} {len(before) - len(left)}".encode())
        os._exit(0)
    assert os.waitpid(pid, 0) == (pid, 0)
    said, closed = os.read(read, 100).decode().split()
    os.close(read)
    os.close(write)
    assert said == "True"
    # Three ends, the listening socket, the selector and what wakes it; and what listed the files.
    assert int(closed) >= 6
    assert "curfew_workers" in scraped(listening), "the parent's files are still open"


def test_one_that_never_began_ends_at_once() -> None:
    exporter = Exporter()
    exporter.prepare(1)
    exporter.finish()
    exporter.finish()
