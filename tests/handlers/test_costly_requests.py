"""Requests that cost more than they bring: each is judged before it has cost much.

What is asked here is on raw sockets, and true whatever reads them.
"""

import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.support.clients.raw_http import Answer, exchange
from tests.support.running.processes import eventually
from tests.support.servers.server import ROOT, CurfewServer
from tests.support.servers.workers import workers_of

JSON = b"Content-Type: application/json\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
PIPELINED = 1_200
HANDLED_AT_MOST = 100
"""Requests of a peer that is gone: those of the moment in which its end is noticed."""
ANSWERED_AHEAD = 40
"""Requests of others that may be answered while one waits that was asked later."""
UNREAD_SECONDS = 2.0
"""Of the server of this file: how long a peer may leave its answers alone."""


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """One process that waits for readers only shortly."""
    script = ROOT / "tests" / "support" / "servers" / "impatient_run.py"
    with CurfewServer(script=script) as running:
        yield running


@pytest.fixture(autouse=True)
def goes_on(server: CurfewServer) -> Iterator[None]:
    """Whatever was sent, the server answers the next one, and has logged no error of its own."""
    yield
    assert exchange(server.port, b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n").status == 200
    assert " ERROR " not in server.log
    assert "Traceback" not in server.log


def ask(server: CurfewServer, path: str, headers: bytes = b"", method: bytes = b"GET") -> bytes:
    """A request to the server's own host."""
    host = b"Host: 127.0.0.1:%d\r\n" % server.port
    return method + b" " + path.encode() + b" HTTP/1.1\r\n" + host + headers + b"\r\n"


def post(server: CurfewServer, headers: bytes, body: bytes) -> Answer:
    """Send a body to where bodies are taken."""
    return exchange(server.port, ask(server, "/api/login", JSON + headers, b"POST") + body)


def handled(server: CurfewServer, path: str) -> int:
    """How many requests for a path were answered."""
    return server.log.count(f" GET {path} ")


def statuses(raw: bytes) -> list[bytes]:
    """Of all answers, in their order."""
    return re.findall(rb"HTTP/1.1 (\d{3}) ", raw)


@pytest.mark.proves("A58")
def test_a_request_may_have_100_header_lines_and_no_more(server: CurfewServer) -> None:
    lines = [b"X-%d: a\r\n" % number for number in range(3_000)]
    assert exchange(server.port, ask(server, "/healthz", b"".join(lines[:99]))).status == 200
    assert exchange(server.port, ask(server, "/healthz", b"".join(lines[:100]))).status == 431
    assert exchange(server.port, ask(server, "/healthz", b"A: b\r\n" * 2_000)).status == 431


@pytest.mark.proves("A58")
def test_who_sends_too_much_hears_so_although_it_is_still_sending(server: CurfewServer) -> None:
    large = 2**20 + 2**19
    told = b"Content-Length: %d\r\n" % large
    for _ in range(10):
        head = ask(server, "/healthz", b"X: " + b"x" * large + b"\r\n")
        assert exchange(server.port, head).status == 431
        assert post(server, told, b"x" * large).status == 413
        assert post(server, CHUNKED, b"%x\r\n" % large + b"x" * large).status == 413


@pytest.mark.proves("A58")
def test_a_body_in_crumbs_is_refused_before_much_of_it_is_here(server: CurfewServer) -> None:
    assert post(server, CHUNKED, b"1\r\nx\r\n" * 10_000).status in {400, 413}


def test_a_body_in_small_pieces_is_taken(server: CurfewServer) -> None:
    pieces = b"64\r\n" + b"x" * 100 + b"\r\n"
    answer = post(server, CHUNKED, pieces * 1_200 + b"0\r\n\r\n")
    assert answer.status == 400
    assert b"/problems/" in answer.raw, "the handler judged it"


def test_a_body_in_a_few_crumbs_is_taken(server: CurfewServer) -> None:
    body = b"".join(b"1\r\n%c\r\n" % each for each in b'{"username": 1}') + b"0\r\n\r\n"
    assert b"/problems/" in post(server, CHUNKED, body).raw


@pytest.mark.proves("A58")
@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\x00: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX\xe9: a\r\n\r\n",
        b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
        b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\ncontent-length: 0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: \xb2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n",
        b"GET / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0;a=b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n 0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nA : b\r\n\r\n",
    ],
)
def test_what_two_readers_could_read_differently_is_refused(
    server: CurfewServer, sent: bytes
) -> None:
    """At once, and together with what stands behind it (RFC 9112 2.2, 5, 6, 7.1)."""
    began, before = time.monotonic(), handled(server, "/smuggled")
    answer = exchange(server.port, sent + ask(server, "/smuggled"), read_all=True)
    assert statuses(answer.raw) == [b"400"]
    assert answer.closed
    assert handled(server, "/smuggled") == before
    assert time.monotonic() - began < 5


def test_pipelined_requests_are_answered_in_order(server: CurfewServer) -> None:
    paths = ["/healthz" if number % 3 else "/nowhere" for number in range(600)]
    asked = b"".join(ask(server, path) for path in paths)
    answer = exchange(
        server.port, asked + ask(server, "/", b"Connection: close\r\n"), read_all=True
    )
    expected = [b"200" if path == "/healthz" else b"404" for path in paths]
    assert statuses(answer.raw) == [*expected, b"200"]


@pytest.mark.proves("A58")
def test_nothing_that_waits_is_handled_when_its_peer_is_gone(server: CurfewServer) -> None:
    for _ in range(10):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(ask(server, "/gone") * PIPELINED)
    marks = 3  # by then the server has done whatever it would do
    for mark in range(marks):
        exchange(server.port, ask(server, f"/mark-{mark}"))
        eventually(lambda mark=mark: handled(server, f"/mark-{mark}"))  # type: ignore[misc]
        time.sleep(0.2)
    assert handled(server, "/gone") <= HANDLED_AT_MOST


class Crowd:
    """Peers that send many requests at once, and read what is answered."""

    def __init__(self, server: CurfewServer) -> None:
        self._peers = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(25)]
        self._received = [bytearray() for _ in self._peers]
        self.requests = 200 * len(self._peers)
        for each in self._peers:
            each.sendall(ask(server, "/crowd") * 200)
            each.setblocking(False)

    def answered(self) -> int:
        """Read what is here; return how many answers have come in all."""
        for peer, received in zip(self._peers, self._received, strict=True):
            with suppress(BlockingIOError):
                while more := peer.recv(65_536):
                    received.extend(more)
        return sum(each.count(b"HTTP/1.1 404") for each in self._received)

    def close(self) -> None:
        """Leave."""
        for each in self._peers:
            each.close()


@pytest.mark.proves("A58")
def test_one_of_others_is_handled_between_any_two_pipelined_requests(server: CurfewServer) -> None:
    (worker,) = workers_of(server)
    crowd, before = Crowd(server), []
    try:
        eventually(lambda: crowd.answered() > 0)
        for number in range(5):
            os.kill(worker, signal.SIGSTOP)  # so that it is no matter how soon this process goes on
            before.append(crowd.answered())
            other = socket.create_connection(("127.0.0.1", server.port), 10.0)
            other.sendall(ask(server, f"/one-{number}"))
            os.kill(worker, signal.SIGCONT)
            with other:
                assert other.recv(65_536).startswith(b"HTTP/1.1 404")
    finally:
        os.kill(worker, signal.SIGCONT)
        crowd.close()
    eventually(lambda: handled(server, "/one-4") == 1)
    handled_in_order = re.findall(r" GET /(\S+) ", server.log)
    for number, answered in enumerate(before):
        ahead = handled_in_order[: handled_in_order.index(f"one-{number}")].count("crowd")
        assert ahead - answered < ANSWERED_AHEAD
        assert ahead < crowd.requests, "nothing of the crowd was left"


def never_reading(
    server: CurfewServer, path: str, times: int, room: int = 4 * 1024
) -> socket.socket:
    """A peer that asks often, and has room for little of what comes."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    connection.settimeout(10.0)
    connection.connect(("127.0.0.1", server.port))
    connection.sendall(ask(server, path) * times)
    return connection


@pytest.mark.proves("A51")
def test_who_never_reads_is_cut_and_has_kept_little(server: CurfewServer) -> None:
    readers = [never_reading(server, "/openapi.json?unread", 200) for _ in range(5)]
    began = time.monotonic()
    try:
        for each in readers:
            assert is_cut(each)
        assert time.monotonic() - began < 4 * UNREAD_SECONDS + 2
        assert handled(server, "/openapi.json") < len(readers) * 200 / 2
    finally:
        for each in readers:
            each.close()


def is_cut(connection: socket.socket) -> bool:
    """Wait until the server has cut a connection, without ever reading from it."""

    def takes_nothing() -> bool:
        try:
            connection.send(b"\r\n")
        except ConnectionError:
            return True
        return False

    return eventually(takes_nothing)


@pytest.mark.proves("A51")
def test_who_reads_slowly_but_does_gets_everything(server: CurfewServer) -> None:
    asked, room = 60, 64 * 1024
    with never_reading(server, "/openapi.json?slow", asked, room) as connection:
        got = bytearray()
        slow_until = time.monotonic() + 3 * UNREAD_SECONDS
        while time.monotonic() < slow_until:
            got += connection.recv(16 * 1024)
            time.sleep(0.1)
        while statuses(bytes(got)) != [b"200"] * asked:
            more = connection.recv(2**20)
            assert more, "cut"
            got += more
