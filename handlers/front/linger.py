"""Drops what a peer still sends behind a refusal, so that it can read why it was refused."""

import asyncio
from contextlib import suppress

from handlers.front.deadline import Deadline
from handlers.front.limits import LINGER_AT_MOST_SECONDS, LINGER_BYTES, LINGER_SECONDS
from handlers.front.outgoing import Outgoing
from handlers.front.turns import Share


class Linger:
    """The end of a connection, which says that no more will come, but reads on (RFC 9112 9.6).

    Most clients send their whole request before they read. So it reads as long as they send, up to
    a bound, and a little longer: for the way of the answer.

    Args:
        transport: of the connection.
        outgoing: its answers; while they wait for the peer to read, it has another deadline.
        share: of the loop's turns; each further read needs one.
        deadline: of the connection; it aborts the connection.
        at_most: seconds in all, if that is less than the bound.
    """

    __slots__ = ("_deadline", "_left", "_loop", "_outgoing", "_share", "_transport", "_until")

    def __init__(
        self,
        transport: asyncio.Transport,
        outgoing: Outgoing,
        share: Share,
        deadline: Deadline,
        at_most: float,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._outgoing = outgoing
        self._share = share
        self._deadline = deadline
        self._until = self._loop.time() + min(at_most, LINGER_AT_MOST_SECONDS)
        self._left = LINGER_BYTES
        if transport.can_write_eof():
            with suppress(OSError):  # the peer is gone
                transport.write_eof()

    def wait(self) -> None:
        """Give the peer some time from now on, as long as there is some left."""
        self._deadline.set(min(self._until, self._loop.time() + LINGER_SECONDS))

    def drop(self, size: int) -> None:
        """Count bytes that were read. Abort when there are too many."""
        self._left -= size
        if self._left < 0:
            self._transport.abort()
        else:
            if not self._outgoing.is_blocked:
                self.wait()
            self._transport.pause_reading()
            self._share.wait(self._read_on)

    def _read_on(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()
