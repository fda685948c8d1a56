"""Peers that begin and never get on with it: each is waited for, and not for ever."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from tornado.httputil import HTTPServerRequest
from tornado.testing import bind_unused_port
from websockets.exceptions import ConnectionClosed, InvalidMessage

from handlers.front.server import FrontServer
from handlers.http.connection_limits import ConnectionLimits
from handlers.serving.process import FIRST_TIMEOUT
from tests.support.clients.client import Client
from tests.support.clients.people import People
from tests.support.clients.sockets import PONG, TEXT, end_of, frame, raw_frame, raw_socket
from tests.support.running.waiting import until
from tests.support.servers.server import ROOT, CurfewServer

pytestmark = pytest.mark.waits

FIRST_SECONDS = 3.0
PLACES = 64
LATE_SECONDS = 2.0
"""A busy machine may be late."""


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """With short waits and few places; the tests' own address counts as a proxy's."""
    script = ROOT / "tests" / "support" / "servers" / "impatient_run.py"
    with CurfewServer(script=script, trusted_proxies="127.0.0.1") as running:
        yield running


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection that has said nothing."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def trickle(writer: asyncio.StreamWriter) -> None:
    """Send a handshake byte by byte, and never its end."""
    writer.write(b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
    while True:
        writer.write(b"x")
        await asyncio.sleep(0.1)


def test_a_handshake_gets_ten_seconds() -> None:
    assert FIRST_TIMEOUT == 10.0


@pytest.mark.proves("A51")
async def test_a_handshake_that_trickles_in_is_cut_however_steadily_it_comes(
    server: CurfewServer,
) -> None:
    began = time.monotonic()
    async with connected(server.port) as (reader, writer), asyncio.timeout(15):
        trickling = asyncio.create_task(trickle(writer))
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
        trickling.cancel()
    assert FIRST_SECONDS - 0.1 < time.monotonic() - began < FIRST_SECONDS + LATE_SECONDS


@pytest.mark.proves("A51")
async def test_a_connection_that_says_nothing_is_cut(server: CurfewServer) -> None:
    began = time.monotonic()
    async with connected(server.port) as (reader, _), asyncio.timeout(15):
        assert await reader.read() == b""
    assert FIRST_SECONDS - 0.1 < time.monotonic() - began < FIRST_SECONDS + LATE_SECONDS


async def test_a_connection_that_was_of_use_may_rest_for_longer(server: CurfewServer) -> None:
    async with connected(server.port) as (reader, writer), asyncio.timeout(15):
        for pause in (FIRST_SECONDS * 1.5, 0.0):
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
            while (await reader.readline()).strip():
                pass
            await reader.readexactly(len(b'{"status": "ok"}'))
            await asyncio.sleep(pause)


@pytest.mark.proves("A51")
async def test_a_tls_handshake_that_never_ends_is_cut() -> None:
    def answer(request: HTTPServerRequest) -> None:
        raise AssertionError(request)

    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server = FrontServer(
        answer, connection_limits=ConnectionLimits(10), first_timeout=0.5, ssl_options=tls
    )
    listening, port = bind_unused_port()
    server.add_socket(listening)
    async with connected(port) as (reader, writer), asyncio.timeout(10):
        writer.write(b"\x16\x03\x01\x02")
        assert await reader.read() == b""
    server.stop()
    await server.close_all_connections()


@pytest.mark.proves("A49", "A51")
async def test_a_message_that_never_ends_closes_with_1008(people: People) -> None:
    client = await people.somebody()
    async with raw_socket(client) as socket:
        await socket.types_until("hello")
        await socket.write(raw_frame(TEXT, b"x", final=False))
        closing = asyncio.create_task(socket.until_close())
        async with asyncio.timeout(10):
            while not closing.done():
                await socket.write(raw_frame(0x0, b"x", final=False) + raw_frame(PONG, b""))
                await asyncio.wait([closing], timeout=0.2)
        assert (await closing)[1] == 1008


@pytest.mark.proves("A51")
async def test_a_peer_that_answers_no_ping_is_cut(people: People) -> None:
    client = await people.somebody()
    async with raw_socket(client) as socket:
        await socket.types_until("hello")
        assert (await socket.until_close())[1] == 1000
        assert await socket.until_cut()


@pytest.mark.proves("A52")
async def test_with_nearly_all_places_taken_a_socket_is_told_to_come_later(
    server: CurfewServer, people: People
) -> None:
    client = await people.somebody()
    async with AsyncExitStack() as stack:
        for _ in range(PLACES - PLACES // 10 - 1):
            await stack.enter_async_context(connected(server.port))
        async with client.open_socket() as socket:
            end = await end_of(socket)
        assert (end.code, end.reason) == (1013, "overload")
        assert (await client.request("GET", "/api/session")).status_code == 200
        for _ in range(PLACES):
            reader, _writer = await stack.enter_async_context(connected(server.port))
        assert await reader.read() == b""
    await until(lambda: lets_in(client))


async def lets_in(client: Client) -> bool:
    """Whether the next socket is let in."""
    try:
        async with client.open_socket() as socket:
            await frame(socket, "hello")
    except (ConnectionClosed, InvalidMessage):
        return False
    return True
