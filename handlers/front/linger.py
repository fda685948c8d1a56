"""Drops what a peer still sends behind a refusal, so that it can read why it was refused."""

import asyncio
from contextlib import suppress

from handlers.front.limits import LINGER_BYTES
from handlers.front.turns import Share


class Linger:
    """The end of a connection, which says that no more will come, but reads on.

    Args:
        transport: of the connection.
        share: of the loop's turns; each further read needs one.
    """

    __slots__ = ("_left", "_share", "_transport")

    def __init__(self, transport: asyncio.Transport, share: Share) -> None:
        self._transport = transport
        self._share = share
        self._left = LINGER_BYTES
        if transport.can_write_eof():
            with suppress(OSError):  # the peer is gone
                transport.write_eof()

    def drop(self, size: int) -> None:
        """Count bytes that were read. Abort when there are too many."""
        self._left -= size
        if self._left < 0:
            self._transport.abort()
        else:
            self._transport.pause_reading()
            self._share.wait(self._read_on)

    def _read_on(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()
