"""What goes out on a connection, and whether the peer reads it."""

import asyncio
import socket
from contextlib import suppress

from tornado.iostream import StreamClosedError

from handlers.front.limits import UNREAD_BYTES, UNSENT_BYTES


class Outgoing:
    """The way out of one connection.

    Args:
        transport: of the connection.

    Attributes:
        is_blocked: whether something has not, as the peer has not read what came before.
    """

    __slots__ = ("_transport", "_unread", "_writes", "is_blocked")

    def __init__(self, transport: asyncio.Transport) -> None:
        _bound_queue(transport.get_extra_info("socket"))
        self._transport = transport
        self._unread = 0
        self._writes: list[asyncio.Future[None]] = []
        self.is_blocked = False

    def send(self, data: bytes) -> asyncio.Future[None]:
        """Send; done when the system has all of it."""
        self._transport.write(data)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.is_blocked:
            self._writes.append(done)
        else:
            done.set_result(None)
        return done

    def block(self) -> None:
        """Something has not gone out."""
        self.is_blocked = True
        self._unread = self._transport.get_write_buffer_size()

    def free(self) -> None:
        """Everything has gone out."""
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
        """Tell whoever waits that the peer is gone."""
        writes, self._writes = self._writes, []
        for done in writes:
            if not done.done():
                done.set_exception(StreamClosedError())
                done.exception()  # told; whoever has stopped waiting need not hear of it


def _bound_queue(sock: socket.socket) -> None:
    """Have the system keep little of what the peer has no room for."""
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if option is not None and sock.family in {socket.AF_INET, socket.AF_INET6}:
        with suppress(OSError):  # the peer is gone
            sock.setsockopt(socket.IPPROTO_TCP, option, UNSENT_BYTES)
