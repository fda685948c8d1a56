"""`run.py top` beside two server processes: one snapshot, and a view that outlives the store."""

import asyncio
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator

import pytest

from tests.support.clients.people import people_of, user_of
from tests.support.clients.sockets import frame
from tests.support.running.processes import eventually
from tests.support.servers.server import ROOT, CurfewServer
from tests.support.servers.valkey import ValkeyServer
from tests.support.servers.workers import workers_of

HOME = b"\x1b[H"
"""Begins each picture."""


@pytest.fixture
def store() -> Iterator[ValkeyServer]:
    """A store that can go away."""
    with ValkeyServer(tcp=True, appendonly="yes") as running:
        yield running


@pytest.fixture
def server(store: ValkeyServer) -> Iterator[CurfewServer]:
    """Two processes on it."""
    with CurfewServer(processes="2", store_url=store.url) as running:
        eventually(lambda: len(workers_of(running)) == 2)
        yield running


class Terminal:
    """A terminal in which the command runs."""

    def __init__(self, server: CurfewServer, columns: int) -> None:
        self._end, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "run.py"), "top", "--every", "0.2"],
            env={**server.environment, "TERM": "xterm"},
            stdin=inner,
            stdout=inner,
            stderr=inner,
        )
        os.close(inner)
        self.written = b""

    def shows(self, *words: str, without: str = "\0") -> bool:
        """Read on to the next picture; whether it has all the words."""
        while self.written.count(HOME) < 2:
            self.written += os.read(self._end, 65536)
        _, _, rest = self.written.partition(HOME)
        picture, _, after = rest.partition(HOME)
        self.written = HOME + after
        text = picture.decode()
        return all(word in text for word in words) and without not in text

    def close(self) -> int:
        """Stop it as a person does."""
        self.process.send_signal(signal.SIGINT)
        try:
            while True:
                self.written += os.read(self._end, 65536)
        except OSError:
            os.close(self._end)
        return self.process.wait(10)


async def test_it_shows_both_processes_and_outlives_the_store(
    server: CurfewServer, store: ValkeyServer
) -> None:
    async with people_of(server.url) as people:
        client, other = await people.somebody(), await people.somebody()
        gone = await user_of(other)
        async with client.open_socket() as socket:
            await frame(socket, "hello")
            await other.request("POST", "/api/logout")
            once = await asyncio.to_thread(server.command, "top", "--every", "0.2")
            assert (once.returncode, once.stderr) == (0, "")
            assert once.stdout.count(" yes ") == 2
            for word in ("sockets 1 ", "ends 1 ", gone, "logout"):
                assert word in once.stdout
    terminal = Terminal(server, columns=60)
    eventually(lambda: terminal.shows("yes", "No faults."))
    store.kill()
    eventually(lambda: terminal.shows("the store does not answer", "may not serve"))
    store.start()
    eventually(lambda: terminal.shows("yes", without="not answer"))
    assert terminal.close() == 0
    assert b"\x1b[?1049l" in terminal.written, "the terminal is as it was"
