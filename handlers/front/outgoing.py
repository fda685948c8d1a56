"""Sends on a connection, and knows whether the peer reads."""

import asyncio
import socket
from contextlib import suppress

from tornado.iostream import StreamClosedError

from handlers.front.limits import UNREAD_BYTES, UNSENT_BYTES


class Outgoing:
    """Sends the answers of one connection.

    Args:
        transport: of the connection.

    Attributes:
        is_blocked: whether bytes wait, because the peer has not read the ones before.
    """

    __slots__ = ("_done", "_transport", "_unread", "_writes", "is_blocked")

    def __init__(self, transport: asyncio.Transport) -> None:
        _bound_queue(transport.get_extra_info("socket"))
        self._transport = transport
        self._unread = 0
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done: what most writes return, because the system has taken everything at once."""
        self._done.set_result(None)
        self._writes: list[asyncio.Future[None]] = []
        self.is_blocked = False

    def send(self, data: bytes) -> asyncio.Future[None]:
        """Send bytes. The future is done when the system has taken all of them."""
        self._transport.write(data)
        if not self.is_blocked:
            return self._done
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._writes.append(done)
        return done

    def block(self) -> None:
        """Note that bytes wait for the peer to read."""
        self.is_blocked = True
        self._unread = self._transport.get_write_buffer_size()

    def free(self) -> None:
        """Note that everything has gone out."""
        self.is_blocked = False
        writes, self._writes = self._writes, []
        for done in writes:
            if not done.done():
                done.set_result(None)

    def is_being_read(self) -> bool:
        """Whether the peer has read `UNREAD_BYTES` since it was blocked, or last looked at."""
        left = self._transport.get_write_buffer_size()
        is_read = left <= self._unread - UNREAD_BYTES
        self._unread = left
        return is_read

    def fail(self) -> None:
        """Tell those who wait that the peer is gone."""
        writes, self._writes = self._writes, []
        for done in writes:
            if not done.done():
                done.set_exception(StreamClosedError())
                done.exception()  # marks it as retrieved: its caller may have stopped waiting


def _bound_queue(sock: socket.socket) -> None:
    """Limit how much the system keeps of what the peer has no room for."""
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if option is not None and sock.family in {socket.AF_INET, socket.AF_INET6}:
        with suppress(OSError):  # the peer is gone
            sock.setsockopt(socket.IPPROTO_TCP, option, UNSENT_BYTES)
