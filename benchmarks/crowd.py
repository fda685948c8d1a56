"""Thousands of WebSocket clients in one process, each as small as it can be.

It knows no more of RFC 6455 than what the measured servers send: short text frames, pings and close
frames. A moment is noted when a close frame comes in, before anything else is done with it.
"""

import asyncio
import gc
import socket
import struct
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from benchmarks.processes import LINUX
from benchmarks.running import NotMeasurable

AT_ONCE: Final = 64
"""Handshakes under way."""
SOURCES: Final = tuple(f"127.0.0.{number}" for number in range(2, 42)) if LINUX else ("127.0.0.1",)
"""Addresses of the clients: a server gives only a part of its places to one address."""
PATIENCE: Final = 60.0
TRIES: Final = 5
COME_BACK: Final = 1.0
"""Seconds before the next try."""
TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
LONG: Final = 126
HEAD: Final = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@dataclass(frozen=True, slots=True)
class Handshake:
    """How a socket is opened.

    Attributes:
        port: of the server, on 127.0.0.1.
        path: with its query.
        ready: what the text holds that says the socket is open.
        headers: beside those that every handshake has.
    """

    port: int
    path: str
    ready: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return the request."""
        head = {"Host": f"127.0.0.1:{self.port}", **HEAD, **self.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        return f"GET {self.path} HTTP/1.1\r\n{lines}\r\n".encode()


class Socket(asyncio.Protocol):
    """One client.

    Attributes:
        closed_at: when its close frame came, or the end of the connection; 0 while it is open.
    """

    __slots__ = ("_buffer", "_handshake", "_open", "_transport", "closed_at")

    def __init__(self, handshake: Handshake, opened: asyncio.Future[None]) -> None:
        self.closed_at = 0.0
        self._handshake = handshake
        self._open: asyncio.Future[None] | None = opened
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the handshake."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 for the type checker
        self._transport = transport
        transport.write(self._handshake.encode())

    def data_received(self, data: bytes) -> None:
        """Read the answer of the handshake, and then frames."""
        now, self._buffer = time.perf_counter(), self._buffer + data
        if self._buffer.startswith(b"HTTP/"):
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self._fail(f"A handshake is answered {head[:300]!r}.")
                return
            self._buffer = rest
        while len(self._buffer) >= 2:  # noqa: PLR2004 the shortest frame
            opcode, size, start = self._buffer[0] & 0x0F, self._buffer[1], 2
            if size == LONG:
                size, start = int.from_bytes(self._buffer[2:4]), 4
            if len(self._buffer) < start + size:
                return
            payload = self._buffer[start : start + size]
            self._buffer = self._buffer[start + size :]
            self._frame(opcode, payload, now)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end, if no close frame came before it."""
        self.closed_at = self.closed_at or time.perf_counter()
        self._fail(f"The connection of a handshake was lost: {exc}.")

    def abort(self) -> None:
        """Cut the connection, and leave nothing of it to the system."""
        if self._transport is not None and not self._transport.is_closing():
            raw = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()

    def _frame(self, opcode: int, payload: bytes, now: float) -> None:
        if opcode == CLOSE:
            self.closed_at = self.closed_at or now
            self._send(CLOSE, payload[:2])
            self._fail(f"A socket is closed before it is open: {payload!r}.")
        elif opcode == PING:
            self._send(PONG, payload)
        elif self._handshake.ready in payload:
            if self._open is not None and not self._open.done():
                self._open.set_result(None)
            self._open = None
        elif payload[:1] == b"0":  # Engine.IO is open; Socket.IO is asked for
            self._send(TEXT, b"40")
        elif payload == b"2":  # Engine.IO's ping
            self._send(TEXT, b"3")

    def _send(self, opcode: int, payload: bytes) -> None:
        if self._transport is not None:  # a mask of zeros is a mask
            self._transport.write(bytes((0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0)) + payload)

    def _fail(self, why: str) -> None:
        if self._open is not None and not self._open.done():
            self._open.set_exception(NotMeasurable(why))
        self._open = None


S = TypeVar("S", bound=Socket)


async def open_sockets(handshakes: Iterable[Handshake]) -> list[Socket]:
    """Open sockets of the plain kind; see `open_all`."""
    return await open_all(handshakes, Socket)


async def open_all(handshakes: Iterable[Handshake], kind: type[S]) -> list[S]:
    """Open sockets, 64 handshakes at a time; return them in the order of the handshakes.

    Raises:
        NotMeasurable: a socket was not opened.
    """
    left, opened = iter(enumerate(handshakes)), dict[int, S]()

    async def some() -> None:
        for number, handshake in left:
            opened[number] = await _persist(handshake, SOURCES[number % len(SOURCES)], kind)

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    gc.collect()
    gc.freeze()  # else each later collection would walk through all of them
    return [opened[number] for number in sorted(opened)]


async def last_close(sockets: Sequence[Socket]) -> float:
    """Wait until all of these sockets are closed; return the moment of the last close frame.

    Raises:
        NotMeasurable: it took too long.
    """
    until = time.perf_counter() + PATIENCE
    while not all(each.closed_at for each in sockets):
        if time.perf_counter() > until:
            raise NotMeasurable("Sockets that should be closed stay open.")
        await asyncio.sleep(0.002)
    return max(each.closed_at for each in sockets)


async def cut(sockets: Iterable[Socket]) -> None:
    """Cut all connections."""
    for each in sockets:
        each.abort()
    await asyncio.sleep(0.2)
    gc.unfreeze()


async def _persist(handshake: Handshake, source: str, kind: type[S]) -> S:
    """Open a socket; come back as a browser would if a busy server asks for it."""
    for _ in range(TRIES - 1):
        try:
            return await open_one(handshake, source, kind)
        except NotMeasurable:
            await asyncio.sleep(COME_BACK)
    return await open_one(handshake, source, kind)


async def open_one(handshake: Handshake, source: str, kind: type[S]) -> S:
    """Open a socket.

    Raises:
        NotMeasurable: it was refused; the text has the beginning of the answer.
    """
    loop = asyncio.get_running_loop()
    raw = socket.socket()
    raw.setblocking(False)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    raw.bind((source, 0))
    await loop.sock_connect(raw, ("127.0.0.1", handshake.port))
    opened: asyncio.Future[None] = loop.create_future()
    _, made = await loop.create_connection(lambda: kind(handshake, opened), sock=raw)
    async with asyncio.timeout(PATIENCE):
        await opened
    return made
