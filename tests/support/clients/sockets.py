"""Sockets that tests hold: how they end, and one that breaks the rules."""

import asyncio
import base64
import json
import os
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.support.clients.client import PATIENCE_SECONDS, Client
from tests.support.clients.client import frame as next_frame
from tests.support.secrets.leaks import SEARCH

frame = next_frame  # beside `end_of`, which tests use with it
QUIET_SECONDS = 0.4
"""Longer than anything that was sent before takes to arrive here."""

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
NO_CODE = 1005
"""Never on the wire (RFC 6455 7.4.1): in place of the code of an empty close frame."""


@dataclass(frozen=True)
class End:
    """How a socket ended: the frames up to the close frame, and what that said if it came."""

    frames: list[dict[str, Any]]
    code: int | None
    reason: str | None

    @property
    def last(self) -> dict[str, Any]:
        """The last frame before the close frame."""
        return self.frames[-1]


async def end_of(socket: ClientConnection, seconds: float = PATIENCE_SECONDS) -> End:
    """Read until the server closes the socket."""
    frames = []
    try:
        async with asyncio.timeout(seconds):
            while True:
                frames.append(json.loads(await socket.recv()))
    except ConnectionClosed as closed:
        if closed.rcvd is None:
            return End(frames, None, None)
        return End(frames, closed.rcvd.code, closed.rcvd.reason)


async def frames_of(
    socket: ClientConnection, seconds: float = QUIET_SECONDS
) -> list[dict[str, Any]]:
    """Everything that comes within a while."""
    frames = []
    try:
        async with asyncio.timeout(seconds):
            while True:
                frames.append(json.loads(await socket.recv()))
    except TimeoutError:
        return frames


class RawSocket:
    """A WebSocket by hand: sends any bytes, answers nothing, reads only when it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, client: Client, *, buffer: int = 64 * 1024) -> Self:
        """Shake hands as the client's browser would; `buffer` bounds what is read unasked."""
        address = urlsplit(client.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=buffer)
        socket = cls(reader, writer)
        try:
            await socket._shake_hands(client)
        except BaseException:
            await socket.close()
            raise
        return socket

    async def _shake_hands(self, client: Client) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        head = {
            "Host": urlsplit(client.url).netloc,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Origin": client.url,
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Protocol": "curfew.v1",
            "Cookie": client.http.headers.get("Cookie", "none=0"),
        }
        lines = ["GET /ws HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
        await self.write("\r\n".join([*lines, "", ""]).encode())
        answer = await self._reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101 "), answer

    async def send(self, opcode: int, payload: bytes, *, final: bool = True) -> None:
        """Send one frame."""
        self._writer.write(raw_frame(opcode, payload, final=final))
        await self._writer.drain()

    async def write(self, data: bytes) -> None:
        """Send bytes that may be no frame at all."""
        self._writer.write(data)
        await self._writer.drain()

    async def receive(self) -> tuple[int, bytes]:
        """The next frame: its opcode and payload.

        Raises:
            IncompleteReadError: the server cut the connection.
            TimeoutError: nothing came.
        """
        async with asyncio.timeout(PATIENCE_SECONDS):
            opcode, payload = await self._receive()
        SEARCH.wrote("a raw frame", payload, "frame")
        return opcode, payload

    async def _receive(self) -> tuple[int, bytes]:
        first, second = await self._reader.readexactly(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", await self._reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self._reader.readexactly(8))
        return first & 0x0F, await self._reader.readexactly(size)

    async def until_close(self) -> tuple[Sequence[dict[str, Any]], int]:
        """The JSON frames before the close frame, and its code; NO_CODE if it says none."""
        frames: list[dict[str, Any]] = []
        while True:
            opcode, payload = await self.receive()
            if opcode == CLOSE:
                return frames, int.from_bytes(payload[:2]) or NO_CODE
            if opcode == TEXT:
                frames.append(json.loads(payload))

    async def types_until(self, kind: str) -> list[str]:
        """The types of the JSON frames up to the first of a kind; `sessions` left out."""
        types: list[str] = []
        while types[-1:] != [kind]:
            opcode, payload = await self.receive()
            if opcode == TEXT and json.loads(payload)["type"] != "sessions":
                types.append(json.loads(payload)["type"])
        return types

    async def is_cut(self) -> bool:
        """Whether the connection takes no data any more, found out by sending an empty pong."""
        try:
            await self.send(PONG, b"")
        except ConnectionError:
            return True
        return self._writer.is_closing()

    async def until_cut(self) -> bool:
        """Read whatever comes until the connection is gone; whether it ended without a reset."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while await self._reader.read(64 * 1024):
                    pass
        except ConnectionError:
            return False
        return True

    async def close(self) -> None:
        """Drop the connection."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return


@asynccontextmanager
async def raw_socket(client: Client) -> AsyncIterator[RawSocket]:
    """An open raw socket, dropped at the end."""
    socket = await RawSocket.open(client)
    try:
        yield socket
    finally:
        await socket.close()


def raw_frame(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    """The bytes of one frame of a client, under a mask of zeros."""
    head = bytes([(0x80 if final else 0) | opcode])
    if len(payload) < 126:
        head += bytes([0x80 | len(payload)])
    elif len(payload) < 1 << 16:
        head += bytes([0x80 | 126]) + struct.pack("!H", len(payload))
    else:
        head += bytes([0x80 | 127]) + struct.pack("!Q", len(payload))
    return head + bytes(4) + payload
