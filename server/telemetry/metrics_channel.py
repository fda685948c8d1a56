"""Carries metrics between a worker and its parent, over a pair of sockets.

The parent asks for a snapshot of the worker. The worker asks for the text about all of them, for
whoever scrapes it. Neither waits for the other: a worker that hangs answers nothing.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import IntEnum
from typing import Final

from server.telemetry.rounds import Rounds

LONGEST_ANSWER: Final = 64 * 1024 * 1024
TEXT_SECONDS: Final = 3.0
"""How long a worker waits for the text about all: longer than the parent waits for workers."""


class Kind(IntEnum):
    """What a message is, in its first byte."""

    ASK_SNAPSHOT = 1
    SNAPSHOT = 2
    ASK_TEXT = 3
    TEXT = 4


class ChannelClosed(Exception):
    """The other process is gone."""


class Channel:
    """One end. Messages are a byte for the kind, four for the length, and the content.

    Args:
        reader: reads from the other end.
        writer: writes to it.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def on(cls, end: socket.socket) -> "Channel":
        """Return a channel on one of two connected sockets."""
        end.setblocking(False)
        return cls(*await asyncio.open_connection(sock=end))

    def send(self, kind: Kind, content: bytes = b"") -> None:
        """Send a message, without waiting."""
        self._writer.write(bytes([kind]) + len(content).to_bytes(4) + content)

    async def flush(self) -> None:
        """Wait until the system has what was sent."""
        await self._writer.drain()

    async def receive(self) -> tuple[Kind, bytes]:
        """Return the next message.

        Raises:
            ChannelClosed: there is none any more.
        """
        try:
            head = await self._reader.readexactly(5)
            length = int.from_bytes(head[1:])
            if length > LONGEST_ANSWER:
                raise ChannelClosed
            return Kind(head[0]), await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, OSError, ValueError):
            raise ChannelClosed from None

    def close(self) -> None:
        """Close this end."""
        self._writer.close()


class WorkerChannel:
    """A worker's end.

    Args:
        channel: leads to the parent.
        take: takes a snapshot of this process.
    """

    def __init__(self, channel: Channel, take: Callable[[], Awaitable[bytes]]) -> None:
        self._channel = channel
        self._take = take
        self._texts: Rounds[bytes | None] = Rounds(self._ask)
        self._text: asyncio.Future[bytes] | None = None

    async def run(self) -> None:
        """Answer the parent until it is gone."""
        with suppress(ChannelClosed):
            while True:
                kind, content = await self._channel.receive()
                if kind is Kind.ASK_SNAPSHOT:
                    await self.tell()
                elif kind is Kind.TEXT and self._text is not None and not self._text.done():
                    self._text.set_result(content)

    async def tell(self) -> None:
        """Send the parent a snapshot of this process."""
        self._channel.send(Kind.SNAPSHOT, await self._take())
        with suppress(OSError):
            await self._channel.flush()

    def close(self) -> None:
        """Close this end, when what was told is on its way."""
        self._channel.close()

    async def text_about_all(self) -> bytes | None:
        """Return the text about all processes; None if the parent does not tell."""
        return await self._texts.fresh()

    async def _ask(self) -> bytes | None:
        self._text = asyncio.get_running_loop().create_future()
        self._channel.send(Kind.ASK_TEXT)
        await asyncio.wait([self._text], timeout=TEXT_SECONDS)
        return self._text.result() if self._text.done() else None
