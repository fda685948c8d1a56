"""One address has its part of a process's time, and no more, however many requests it sends."""

import os
import signal
import socket
from collections.abc import Iterator

import pytest

from tests.support.running.processes import eventually
from tests.support.servers.server import CurfewServer
from tests.support.servers.workers import workers_of

CROWD = 200
AHEAD_AT_MOST = 60
"""Requests of the crowd that are answered before the other one: a turn of an address that seemed to
be alone, and one in each turn that the other request takes."""


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    with CurfewServer() as running:
        yield running


@pytest.mark.proves("A58")
def test_a_crowd_at_one_address_is_not_answered_before_somebody_elsewhere(
    server: CurfewServer,
) -> None:
    crowd = [connected(server, "127.0.0.1") for _ in range(CROWD)]
    other = connected(server, "127.0.0.9")
    (worker,) = workers_of(server)
    try:
        for number in range(5):
            os.kill(worker, signal.SIGSTOP)  # so that all of them are there at once
            for each in crowd:
                ask(server, each, f"/crowd-{number}")
            ask(server, other, f"/other-{number}")
            os.kill(worker, signal.SIGCONT)
            for each in [*crowd, other]:
                assert each.recv(65_536)
            eventually(lambda number=number: answered(server, f"/crowd-{number}") == CROWD)  # type: ignore[misc]
            before, _, _ = server.log.partition(f" GET /other-{number} ")
            assert before.count(f" GET /crowd-{number} ") < AHEAD_AT_MOST
    finally:
        os.kill(worker, signal.SIGCONT)
        for each in [*crowd, other]:
            each.close()


def connected(server: CurfewServer, address: str) -> socket.socket:
    """A connection from one of this machine's addresses."""
    return socket.create_connection(("127.0.0.1", server.port), 10.0, (address, 0))


def ask(server: CurfewServer, connection: socket.socket, path: str) -> None:
    """Send a request."""
    connection.sendall(
        b"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % (path.encode(), server.port)
    )


def answered(server: CurfewServer, path: str) -> int:
    """How many requests for a path were answered."""
    return server.log.count(f" GET {path} ")
