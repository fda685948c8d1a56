"""Slow heads, and answers that begin, or are complete, while their request is still being sent."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler, stream_request_body

from handlers.front.limits import READ_AHEAD_BYTES
from handlers.front.server import FrontServer
from handlers.http.refusals import MALFORMED
from server.crypto.certificate import ensure_certificate

LARGE = 12 * 1024 * 1024
"""More bytes than the system keeps for a reader that is slow."""
POST = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n"

Opened = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@stream_request_body
class Begins(RequestHandler):
    """Begins its answer before the body."""

    async def prepare(self) -> None:
        """Send the first piece."""
        self.write("begin,")
        await self.flush()

    def data_received(self, chunk: bytes) -> None:
        """Take all of it."""

    def post(self) -> None:
        """Send the last piece."""
        self.write("end")


@stream_request_body
class Refuses(RequestHandler):
    """Answers at length before the body."""

    def prepare(self) -> None:
        """Answer."""
        self.finish(b"x" * LARGE)

    def data_received(self, chunk: bytes) -> None:
        """Take nothing."""

    def post(self) -> None:
        """Never get here."""


APPLICATION = Application([("/begins", Begins), ("/refuses", Refuses)])


@asynccontextmanager
async def opened(
    context: ssl.SSLContext | None = None, limit: int = 65536
) -> AsyncIterator[Opened]:
    """A connection to a server."""
    server = FrontServer(APPLICATION, ssl_options=context)
    listening, port = bind_unused_port()
    server.add_socket(listening)
    trust = None if context is None else ssl._create_unverified_context()  # noqa: S323
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust, limit=limit)
        async with asyncio.timeout(20):
            yield reader, writer
        writer.close()
    finally:
        server.stop()
        await server.close_all_connections()


async def test_a_head_may_be_longer_than_what_is_read_ahead() -> None:
    server = FrontServer(APPLICATION, max_header_size=4 * READ_AHEAD_BYTES)
    listening, port = bind_unused_port()
    server.add_socket(listening)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n")
    for number in range(50):
        writer.write(b"X-%d: " % number + b"x" * (READ_AHEAD_BYTES // 20) + b"\r\n")
        await asyncio.sleep(0.002)  # the server reads this before more comes
    writer.write(b"\r\n")
    async with asyncio.timeout(5):
        assert (await reader.read()).startswith(b"HTTP/1.1 404 ")
    writer.close()
    server.stop()
    await server.close_all_connections()


async def test_nobody_is_told_to_go_on_in_the_middle_of_an_answer() -> None:
    async with opened() as (reader, writer):
        writer.write(POST % b"/begins" + b"Expect: 100-continue\r\nConnection: close\r\n\r\n")
        await reader.readuntil(b"begin,\r\n")
        writer.write(b"0123456789")
        assert await reader.read() == b"3\r\nend\r\n0\r\n\r\n"


async def test_a_long_answer_may_be_read_for_as_long_as_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("handlers.front.linger.LINGER_SECONDS", 0.1)
    async with opened(limit=1024) as (reader, writer):
        writer.write(POST % b"/refuses" + b"\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.5)  # a slow reader
        assert f"Content-Length: {LARGE}\r\n".encode() in head
        assert await reader.readexactly(LARGE) == b"x" * LARGE


async def test_a_refused_head_is_answered_before_its_body_has_come() -> None:
    async with opened() as (reader, writer):
        writer.write(POST % b"/begins" + b"Content-Length: 9\r\n\r\n")
        await reader.readuntil(b"\r\n")
        writer.write(b"0123456789")
        await asyncio.sleep(0.1)  # a reset would have come
        writer.write(b"0123456789")
        head, _, problem = (await reader.read()).partition(b"\r\n\r\n")
        assert b"\r\nConnection: close" in head
        assert json.loads(problem) == MALFORMED.as_json()


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    """A server's TLS."""
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    ensure_certificate(*files, frozenset({"127.0.0.1"}))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*files)
    return context


async def test_who_reads_slowly_under_tls_but_does_gets_everything(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.front.connection.UNREAD_SECONDS", 0.5)
    async with opened(tls, limit=1024) as (reader, writer):
        writer.write(POST % b"/refuses" + b"\r\n0123456789")
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(LARGE // 2**19):
            await asyncio.sleep(0.1)  # a slow reader
            assert await reader.readexactly(2**19) == b"x" * 2**19


async def test_small_pieces_under_tls_do_not_wait_for_each_other(tls: ssl.SSLContext) -> None:
    loop = asyncio.get_running_loop()
    async with opened(tls) as (reader, writer):
        spent = []
        for _ in range(5):
            started = loop.time()
            writer.write(POST % b"/begins" + b"\r\n0123456789")
            await reader.readuntil(b"0\r\n\r\n")
            spent.append(loop.time() - started)
        assert min(spent) < 0.03  # a late ACK takes 0.04 s
