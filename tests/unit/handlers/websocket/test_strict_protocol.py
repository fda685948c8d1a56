"""Frames on a real connection: what is taken, what is refused and why, and what comes after."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application
from tornado.websocket import WebSocketHandler, WebSocketProtocol13

from handlers.front.server import FrontServer
from handlers.http import closing_handshakes
from handlers.http.closing_handshakes import ClosingHandshakes
from handlers.http.pings import Pings
from handlers.websocket import strict_protocol
from handlers.websocket.strict_protocol import StrictProtocol
from server.core.messages import MAX_FRAME_BYTES, CloseCode
from server.core.rate import Rate

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
LARGEST = 4 * MAX_FRAME_BYTES
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


INTERVAL = 0.25
"""Seconds between two pings, where there are any."""


class Echo(WebSocketHandler):
    """Sends back what comes, and closes like `SocketHandler`."""

    frames: ClassVar[Rate] = Rate(per_second=1, burst=20)
    received: ClassVar[list[str | bytes]] = []
    pings: ClassVar[Pings] = Pings(INTERVAL)
    closings: ClosingHandshakes

    def initialize(self) -> None:
        """Share what waits for answers with the other sockets of one loop."""
        shared = self.application.settings
        self.closings = shared.setdefault("closings", ClosingHandshakes())

    def get_websocket_protocol(self) -> WebSocketProtocol13 | None:
        """Be strict."""
        protocol = super().get_websocket_protocol()
        assert isinstance(protocol, WebSocketProtocol13)
        shared = self.pings, self.closings, self.frames
        return StrictProtocol(self, protocol, *shared, self.refuse, self.too_fast)

    @property
    def max_message_size(self) -> int:
        """Read so much of a frame."""
        return LARGEST

    def on_message(self, message: str | bytes) -> None:
        """Send it back."""
        self.received.append(message)
        self.write_message(message, binary=isinstance(message, bytes))

    def refuse(self, code: CloseCode, reason: str) -> None:
        """Close because of what the peer sent."""
        self.close(code, reason)

    def too_fast(self) -> None:
        """Close because it sent too often."""
        self.close(CloseCode.POLICY, "too_fast")


class Client:
    """Sends frames byte by byte as a test says."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer

    def send(self, opcode: int, data: bytes = b"", *, final: bool = True) -> None:
        """Send a frame, with a mask of zeros."""
        if len(data) < 126:
            size = bytes([0x80 | len(data)])
        elif len(data) < 65_536:
            size = b"\xfe" + struct.pack("!H", len(data))
        else:
            size = b"\xff" + struct.pack("!Q", len(data))
        self.send_bytes(bytes([final << 7 | opcode]) + size + bytes(4) + data)

    def send_bytes(self, data: bytes) -> None:
        """Send anything."""
        self._writer.write(data)

    async def frame(self) -> tuple[int, bytes]:
        """Return the opcode and the data of the next frame."""
        first, size = await self.reader.readexactly(2)
        if size == 126:
            (size,) = struct.unpack("!H", await self.reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
        return first & 0x0F, await self.reader.readexactly(size)

    async def closed(self) -> tuple[int, str]:
        """Return the code and the reason of the next frame, which closes."""
        opcode, data = await self.frame()
        assert opcode == CLOSE, (opcode, data)
        return int.from_bytes(data[:2]), data[2:].decode()


@asynccontextmanager
async def opened(
    server_class: type[HTTPServer] = FrontServer,
    ping_interval: float = 0,
    handler: type[WebSocketHandler] = Echo,
) -> AsyncIterator[Client]:
    """Open a WebSocket."""
    server = server_class(Application([("/", handler)], websocket_ping_interval=ping_interval))
    listening, port = bind_unused_port()
    server.add_socket(listening)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(20):
            writer.write(HANDSHAKE)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
            yield Client(reader, writer)
            writer.close()
            await server.close_all_connections()
    finally:
        writer.close()
        server.stop()


async def test_a_message_comes_whole_however_it_is_cut() -> None:
    async with opened() as client:
        client.send(TEXT, "☾".encode()[:1], final=False)
        client.send(PING, b"between")
        client.send(0, "☾".encode()[1:])
        assert await client.frame() == (PONG, b"between")
        assert await client.frame() == (TEXT, "☾".encode())
        client.send(BINARY, b"\xff" * 300)
        assert await client.frame() == (BINARY, b"\xff" * 300)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x81\x01a",  # without a mask
        b"\x80\x80" + bytes(4),  # goes on with no message
        b"\x81\xfe\x00\x01" + bytes(4) + b"a",  # a size in more bytes than it needs
        b"\x88\x82" + bytes(4) + b"\x03\xed",  # a close code that is not for the wire
    ],
)
async def test_what_is_no_frame_is_refused(sent: bytes) -> None:
    async with opened() as client:
        client.send_bytes(sent)
        assert await client.closed() == (CloseCode.PROTOCOL, "bad_framing")


async def test_a_new_message_within_another_is_refused() -> None:
    async with opened() as client:
        client.send(TEXT, b"a", final=False)
        client.send(TEXT, b"b")
        assert await client.closed() == (CloseCode.PROTOCOL, "bad_framing")


async def test_text_that_is_none_is_refused() -> None:
    async with opened() as client:
        client.send(TEXT, b"\xff")
        assert await client.closed() == (CloseCode.POLICY, "not_utf8")


async def test_a_frame_that_is_too_big_is_refused_and_the_next_is_still_understood() -> None:
    async with opened() as client:
        client.send(BINARY, b"x" * (LARGEST + 1))
        assert await client.closed() == (CloseCode.TOO_BIG, "too_big")
        client.send(CLOSE)
        assert not await client.reader.read()


async def test_fragments_are_bounded_together() -> None:
    async with opened() as client:
        client.send(BINARY, b"x" * MAX_FRAME_BYTES, final=False)
        client.send(0, b"x", final=False)
        assert await client.closed() == (CloseCode.TOO_BIG, "too_big")


async def test_the_fragments_of_a_message_come_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strict_protocol, "MESSAGE_SECONDS", 0.05)
    async with opened() as client:
        client.send(TEXT, b"a", final=False)
        assert await client.closed() == (CloseCode.POLICY, "unfinished")


async def test_who_sends_too_many_frames_of_any_kind_is_closed() -> None:
    async with opened() as client:
        for _ in range(Echo.frames.burst + 2):
            client.send(PONG)
        assert await client.closed() == (CloseCode.POLICY, "too_fast")


async def test_a_message_that_is_whole_has_no_time_to_keep(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(strict_protocol, "MESSAGE_SECONDS", 0.05)
    async with opened() as client:
        client.send(TEXT, b"a", final=False)
        client.send(0, b"b")
        assert await client.frame() == (TEXT, b"ab")
        is_over = asyncio.Event()
        asyncio.get_running_loop().call_later(0.06, is_over.set)
        await is_over.wait()
        client.send(PING)
        assert await client.frame() == (PONG, b"")


async def test_nothing_is_handled_behind_our_close_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Echo, "received", list[str | bytes]())
    async with opened() as client:
        client.send(TEXT, b"\xff")
        client.send(PING)
        client.send(TEXT, b"a")
        client.send(CLOSE, b"\x03\xe8")
        assert await client.closed() == (CloseCode.POLICY, "not_utf8")
        assert not await client.reader.read()
    assert Echo.received == []


@pytest.mark.parametrize(
    ("limit", "most"), [("AFTER_CLOSE_BYTES", 1000), ("AFTER_CLOSE_FRAMES", 3)]
)
async def test_who_sends_on_behind_our_close_frame_is_cut(
    monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    monkeypatch.setattr(strict_protocol, limit, most)
    monkeypatch.setattr(strict_protocol, "LINGER_SECONDS", 0.05)
    async with opened() as client:
        client.send(TEXT, b"\xff")
        for _ in range(5):
            client.send(BINARY, b"x" * 300)
        assert await client.closed() == (CloseCode.POLICY, "not_utf8")
        assert not await ended(client)


async def ended(client: Client) -> bytes:
    """Return what comes before the end of the connection, orderly or not."""
    try:
        return await client.reader.read()
    except ConnectionResetError:
        return b""


async def test_an_idle_socket_has_no_task() -> None:
    before = len(asyncio.all_tasks())
    async with opened() as client:
        for _ in range(2):
            client.send(TEXT, b"a")
            assert await client.frame() == (TEXT, b"a")
            await asyncio.sleep(0.05)
            assert len(asyncio.all_tasks()) == before


@pytest.mark.parametrize("interval", [INTERVAL, INTERVAL / 2], ids=["with others", "alone"])
async def test_a_peer_is_pinged_and_closed_if_it_does_not_answer(interval: float) -> None:
    async with opened(ping_interval=interval) as client:
        for _ in range(2):
            assert await client.frame() == (PING, b"")
            client.send(PONG)
        assert await client.frame() == (PING, b"")
        assert await client.closed() == (1000, "ping timed out")


async def test_frames_are_as_strict_on_a_server_of_tornados_own() -> None:
    async with opened(HTTPServer) as client:
        client.send(TEXT, b"a")
        assert await client.frame() == (TEXT, b"a")
        client.send_bytes(b"\x81\x01a")  # without a mask
        assert (await client.closed())[0] == CloseCode.PROTOCOL


class Farewell(Echo):
    """Says one more thing when it closes, in reply to any message."""

    last = "bye"
    writes: ClassVar[list[bytes]] = []

    def on_message(self, message: str | bytes) -> None:
        """Close behind a last message."""
        protocol: Any = self.ws_connection
        assert isinstance(protocol, StrictProtocol)
        write = protocol.stream.write

        def noted(data: bytes) -> Any:
            self.writes.append(data)
            return write(data)

        protocol.stream.write = noted
        protocol.write_text("before")
        protocol.close_with(message if isinstance(message, str) else "", 4401, "over")
        protocol.write_text("after")


@pytest.mark.parametrize("size", [1, 125, 126, 65_535, 65_536])
async def test_a_last_message_goes_out_in_one_piece_with_the_close_frame(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(Farewell, "writes", [])
    async with opened(HTTPServer, handler=Farewell) as client:
        client.send(TEXT, b"x" * size)
        assert await client.frame() == (TEXT, b"before")
        assert await client.frame() == (TEXT, b"x" * size)
        assert await client.closed() == (4401, "over")
        client.send(CLOSE, b"\x11\x31")
        assert await client.reader.read() == b""
    assert len(Farewell.writes) == 2


class Leaving(Echo):
    """Closes behind a last message, in reply to any message."""

    def on_message(self, message: str | bytes) -> None:
        """Close."""
        protocol: Any = self.ws_connection
        protocol.close_with(message, 4401, "over")


@pytest.mark.parametrize("server_class", [FrontServer, HTTPServer])
async def test_a_peer_that_does_not_answer_the_close_frame_is_disconnected(
    monkeypatch: pytest.MonkeyPatch, server_class: type[HTTPServer]
) -> None:
    monkeypatch.setattr(closing_handshakes, "PATIENCE", 0.05)
    async with opened(server_class, handler=Leaving) as client:
        client.send(TEXT, b"bye")
        assert await client.frame() == (TEXT, b"bye")
        assert await client.closed() == (4401, "over")
        assert not await client.reader.read()


@pytest.mark.parametrize("server_class", [FrontServer, HTTPServer])
async def test_an_answer_to_the_close_frame_ends_the_connection(
    server_class: type[HTTPServer],
) -> None:
    async with opened(server_class, handler=Leaving) as client:
        client.send(TEXT, b"bye")
        assert await client.frame() == (TEXT, b"bye")
        assert await client.closed() == (4401, "over")
        client.send(CLOSE, b"\x11\x31")
        async with asyncio.timeout(closing_handshakes.PATIENCE / 2):
            assert not await client.reader.read()
