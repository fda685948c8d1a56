"""The server: who gets a connection, what its requests may cost, and how it stops."""

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from handlers.front.server import FrontServer
from handlers.front.turns import BEGIN_AT_MOST
from handlers.http.connection_limits import ConnectionLimits
from server.crypto.certificate import ensure_certificate
from tests.support.clients.peer import tcp_pair
from tests.support.running.waiting import until

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Seen(RequestHandler):
    """Says what it was told of a request."""

    def get(self) -> None:
        """Say who asks, and how."""
        self.write(f"{self.request.protocol} {self.request.remote_ip}")

    def post(self) -> None:
        """Say what was sent."""
        self.write(self.request.body)


def is_true(question: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    """Return a question that `until` may ask."""

    async def ask() -> bool:
        return question()

    return ask


Connect = Any
"""Opens a connection, as `asyncio.open_connection` does."""


@asynccontextmanager
async def serving(**arguments: Any) -> AsyncIterator[tuple[FrontServer, Connect]]:
    """Serve on a port of the loopback."""
    server = FrontServer(Application([("/", Seen)]), **arguments)
    listening, port = bind_unused_port()
    server.add_socket(listening)
    writers = list[asyncio.StreamWriter]()

    async def connect(**tls: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, **tls)
        writers.append(writer)
        return reader, writer

    try:
        async with asyncio.timeout(20):
            yield server, connect
    finally:
        server.stop()
        async with asyncio.timeout(20):
            await server.close_all_connections()
        for writer in writers:
            writer.close()


async def body_of(reader: asyncio.StreamReader) -> str:
    """Return the body of the next answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    size = int(head.partition("Content-Length: ")[2].partition("\r\n")[0])
    return (await reader.readexactly(size)).decode()


async def test_a_handler_is_told_who_asks_and_how() -> None:
    async with serving() as (_, connect):
        reader, writer = await connect()
        writer.write(GET)
        assert await body_of(reader) == "http 127.0.0.1"


async def test_a_handler_is_told_of_tls(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    ensure_certificate(certificate, key, frozenset({"127.0.0.1"}))
    files = {"certfile": str(certificate), "keyfile": str(key)}
    async with serving(ssl_options=files) as (_, connect):
        reader, writer = await connect(ssl=ssl.create_default_context(cafile=certificate))
        writer.write(GET)
        assert await body_of(reader) == "https 127.0.0.1"


async def test_a_connection_without_room_is_closed_until_another_one_has_left() -> None:
    connection_limits = ConnectionLimits(2)  # one for each peer
    async with serving(connection_limits=connection_limits) as (_, connect):
        reader, writer = await connect()
        writer.write(GET)
        await body_of(reader)
        assert not await (await connect())[0].read()
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        await reader.read()
        await until(is_true(lambda: connection_limits.has_room_for("127.0.0.1")))
        reader, writer = await connect()
        writer.write(GET)
        assert await body_of(reader) == "http 127.0.0.1"


async def test_a_trusted_proxy_has_the_part_of_many_and_nobody_else() -> None:
    for trusted in ([], [ip_network("127.0.0.0/8")]):
        limits = ConnectionLimits(10, trusted)
        async with serving(connection_limits=limits) as (server, connect):
            _, writer = await connect()
            writer.write(GET)
            await until(is_true(lambda server=server: bool(server._open)))  # type: ignore[misc]
            (connection,) = server._open
            assert connection._turns.has_many_clients is bool(trusted)


async def test_a_body_has_the_size_that_the_server_was_given() -> None:
    async with serving(max_body_size=3) as (_, connect):
        reader, writer = await connect()
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
        assert await body_of(reader) == "abc"
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 413 ")


async def test_bodies_are_unpacked_where_the_server_does_so() -> None:
    packed = gzip.compress(b"abc")
    request = (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b"
    )
    async with serving(decompress_request=True) as (_, connect):
        reader, writer = await connect()
        writer.write(request % (len(packed), packed))
        assert await body_of(reader) == "abc"


async def test_a_first_request_has_its_own_time() -> None:
    async with serving(first_timeout=0.05, idle_connection_timeout=60.0) as (_, connect):
        reader, _ = await connect()
        assert not await reader.read()


async def test_a_server_that_stops_closes_what_is_open_and_forgets_it() -> None:
    connection_limits = ConnectionLimits(10)
    async with serving(connection_limits=connection_limits) as (server, connect):
        reader, writer = await connect()
        writer.write(GET)
        await body_of(reader)
        await server.close_all_connections()
        assert not await reader.read()
        assert not connection_limits._total


async def test_a_connection_whose_request_is_on_its_way_is_not_idle() -> None:
    async with serving() as (server, connect):
        (reader, writer), (idle, other) = await connect(), await connect()
        for each, sender in ((reader, writer), (idle, other)):
            sender.write(GET)
            await body_of(each)
        server.is_draining = True
        writer.write(GET)  # goes out at once; the server had no turn to read it
        server.close_idle_connections()
        assert await body_of(reader) == "http 127.0.0.1"
        assert not await reader.read()
        assert not await idle.read()


async def test_a_server_that_stops_closes_what_is_about_to_open() -> None:
    connection_limits = ConnectionLimits(10)
    ours, theirs = tcp_pair()
    async with serving(connection_limits=connection_limits) as (server, _):
        server._handle_connection(ours, ours.getpeername())
        assert connection_limits._total == 1
        await server.close_all_connections()
        assert not connection_limits._total
        assert ours.fileno() < 0
    theirs.close()


async def test_a_connection_whose_peer_left_while_it_waited_is_not_opened() -> None:
    limits = ConnectionLimits(200)
    pairs = [tcp_pair() for _ in range(BEGIN_AT_MOST + 1)]
    async with serving(connection_limits=limits) as (server, _):
        for ours, _ in pairs:
            server._handle_connection(ours, ours.getpeername())
        (waiting,) = server._waiting
        address = waiting.getpeername()
        pairs[-1][1].close()
        share = server._turns_of(asyncio.get_running_loop()).share_of(address[0])
        server._open_in_turn(waiting, address, share, 0.0)
        assert waiting.fileno() < 0
        assert len(server._open) == limits._total == BEGIN_AT_MOST
    for _, theirs in pairs:
        theirs.close()


async def test_a_peer_on_a_unix_socket_is_a_process_on_this_machine(tmp_path: Path) -> None:
    path = str(tmp_path / "http.sock")
    limits = ConnectionLimits(10, [ip_network("127.0.0.1")])
    async with serving(connection_limits=limits) as (server, _):
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path)
            listening.listen()
            listening.setblocking(False)
            server.add_socket(listening)
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(GET)
            assert await body_of(reader) == "http 127.0.0.1"
            (connection,) = server._open
            assert connection._turns.has_many_clients
            writer.close()
            server.stop()
