"""When a connection's bytes are read, and how many at once."""

import asyncio
import select
import socket
from typing import Final

from handlers.front.limits import READ_AHEAD_BYTES
from handlers.front.turns import Share

_LEFT: Final = getattr(select, "POLLRDHUP", 0)
"""Only Linux says this."""


class BoundedReading:
    """Stops reading from a connection, and starts again.

    It stops while too many bytes wait. As long as several addresses are active, it also stops while
    the connection waits for its turn: what a crowd sends then stays with the system, and costs
    nothing.

    Args:
        transport: of the connection.
        share: of the loop's turns.
        header_bytes: that a request may have; they must fit.

    Attributes:
        is_paused: whether it has stopped.
    """

    __slots__ = ("_most", "_share", "_transport", "is_paused")

    def __init__(self, transport: asyncio.Transport, share: Share, header_bytes: int) -> None:
        self._transport = transport
        self._share = share
        self._most = max(READ_AHEAD_BYTES, header_bytes)
        self.is_paused = False

    def bound(self, received: int, *, waits: bool) -> None:
        """Stop or start.

        Args:
            received: bytes that wait to be used.
            waits: whether the connection waits for its turn.
        """
        pauses = received > self._most or (waits and self._share.is_one_of_several)
        if pauses == self.is_paused:
            return
        self.is_paused = pauses
        if pauses:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def peer_has_left(self) -> bool:
        """Return whether the peer has closed its half, even if more of it was not read yet."""
        return has_left(self._transport.get_extra_info("socket"))

    def has_unread(self) -> bool:
        """Return whether the peer has sent more than was read so far, or has gone."""
        return _is_told(self._transport.get_extra_info("socket"), select.POLLIN)


def has_left(connection: socket.socket) -> bool:
    """Return whether a peer has closed its half, even if more of it was not read yet."""
    # Elsewhere than on Linux this is known when all of it was read.
    return bool(_LEFT) and _is_told(connection, _LEFT)


def _is_told(connection: socket.socket, event: int) -> bool:
    """Return whether the system tells this of a socket; true when it is closed."""
    descriptor = connection.fileno()
    if descriptor < 0:
        return True
    poll = select.poll()
    poll.register(descriptor, event)
    return bool(poll.poll(0))
