"""TLS on an accepted socket, as a transport like those of asyncio.

asyncio's own keeps a buffer of 256 KiB for each connection, and closes a connection whose handshake
fails without the alert that says why. Here OpenSSL reads and writes the socket itself.
"""

import asyncio
import socket
import ssl
from contextlib import suppress
from typing import Any, Final, cast

from tornado.log import gen_log

from handlers.front.limits import READ_BYTES
from handlers.front.turns import Share

RECORD_BYTES: Final = 16 * 1024
"""The most that one TLS record holds (RFC 8446 5.1)."""


class TlsTransport(asyncio.Transport):
    """One connection under TLS. Its protocol gets it at once, and data after the handshake.

    Args:
        loop: of this process.
        sock: accepted, and wrapped for a handshake that has not begun.
        address: of the peer.
        protocol: of the connection; it takes data as an `asyncio.Protocol` does.
        share: of the loop's turns; each step of the handshake needs one.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: ssl.SSLSocket,
        address: object,
        protocol: asyncio.BaseProtocol,
        share: Share,
    ) -> None:
        super().__init__({"socket": sock, "ssl_object": sock, "peername": address})
        self._loop = loop
        self._sock = sock
        self._protocol = cast("asyncio.Protocol", protocol)
        self._share = share
        self._is_shaken = False
        self._is_paused = False
        self._is_closing = False
        self._reads_when_writable = False
        self._will_read = False
        self._unsent = bytearray()
        self._is_full = False
        with suppress(OSError):  # not TCP, or the peer is gone
            # As asyncio's transports do: else a small piece waits for the peer's late ACK, 40 ms.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        protocol.connection_made(self)
        loop.add_reader(sock, self._read_ready)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol that gets the data."""
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand data to another protocol from here on."""
        self._protocol = cast("asyncio.Protocol", protocol)

    def is_closing(self) -> bool:
        """Return whether the connection is closed, or will be when everything has gone out."""
        return self._is_closing

    def is_reading(self) -> bool:
        """Return whether the protocol gets what comes in."""
        return not self._is_paused and not self._is_closing

    def pause_reading(self) -> None:
        """Stop reading."""
        if self.is_reading():
            self._is_paused = True
            self._loop.remove_reader(self._sock)

    def resume_reading(self) -> None:
        """Start reading again. OpenSSL may hold bytes that the socket does not show any more."""
        if self._is_paused and not self._is_closing:
            self._is_paused = False
            self._loop.add_reader(self._sock, self._read_ready)
            self._read_soon()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send what the socket takes now, and the rest when it takes more."""
        if self._is_closing:
            return
        self._unsent += data
        self._send()

    def get_write_buffer_size(self) -> int:
        """Return how many bytes have not gone out."""
        return len(self._unsent)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Do nothing: the protocol is told of every byte that does not go out at once."""

    def can_write_eof(self) -> bool:
        """Return False: TLS has no half-closed connections."""
        return False

    def close(self) -> None:
        """Close when everything has gone out."""
        if not self._is_closing:
            self._is_closing = True
            self._loop.remove_reader(self._sock)
            if not self._unsent:
                self._say_goodbye()
                self._loop.call_soon(self._lose, None)

    def abort(self) -> None:
        """Close at once."""
        self._is_closing = True
        self._loop.call_soon(self._lose, None)

    def _read_ready(self) -> None:
        """Go on with the handshake, or hand on what came in."""
        if self._is_paused or self._is_closing:
            return
        if self._is_shaken or self._share.may_begin():
            self._read()
        else:
            self._loop.remove_reader(self._sock)
            self._share.wait(self._shake_in_turn)

    def _shake_in_turn(self) -> None:
        if not self._is_closing:
            self._loop.add_reader(self._sock, self._read_ready)
            self._read()

    def _read(self) -> None:
        try:
            if not self._is_shaken:
                self._sock.do_handshake()
                self._is_shaken = True
            data = self._sock.recv(READ_BYTES)
        except ssl.SSLWantReadError:
            return
        except ssl.SSLWantWriteError:
            self._reads_when_writable = True
            self._loop.add_writer(self._sock, self._write_ready)
            return
        except OSError as error:
            self._fail(error)
            return
        if not data:
            self._protocol.eof_received()
            self.close()
            return
        self._protocol.data_received(data)
        # Not only if OpenSSL holds more: a loop on libuv calls just once for a socket that was
        # reset, and the end of the connection stands behind all that came before it.
        self._read_soon()

    def _read_soon(self) -> None:
        """Read once more, after everybody else."""
        if not self._will_read:
            self._will_read = True
            self._loop.call_soon(self._read_again)

    def _read_again(self) -> None:
        self._will_read = False
        self._read_ready()

    def _write_ready(self) -> None:
        if self._reads_when_writable:
            self._reads_when_writable = False
            self._loop.remove_writer(self._sock)
            self._read_ready()
        self._send()

    def _send(self) -> None:
        """Send what the socket takes.

        OpenSSL reports nothing before all that it was given has gone out. So it gets one record at
        a time: otherwise nobody could tell whether the peer reads.
        """
        try:
            while self._unsent:
                del self._unsent[: self._sock.send(self._unsent[:RECORD_BYTES])]
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            self._loop.add_writer(self._sock, self._write_ready)
            if not self._is_full:
                self._is_full = True
                self._protocol.pause_writing()
            return
        except OSError as error:
            self._fail(error)
            return
        if self._is_full:
            self._is_full = False
            self._loop.remove_writer(self._sock)
            self._protocol.resume_writing()
            if self._is_closing:
                self._say_goodbye()
                self._lose(None)

    def _say_goodbye(self) -> None:
        """Tell the peer that no more comes, without waiting for its answer."""
        try:
            self._sock.unwrap()
        except (OSError, ValueError):
            return

    def _fail(self, error: OSError) -> None:
        """Close a connection that has failed."""
        is_stranger = isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError)
        if not self._is_shaken and is_stranger:
            peer = self.get_extra_info("peername")
            gen_log.warning("SSL Error on %s %s: %s", self._sock.fileno(), peer, error)
        self._is_closing = True
        self._loop.call_soon(self._lose, error)

    def _lose(self, error: Exception | None) -> None:
        """Give the socket back."""
        if self._sock.fileno() < 0:
            return
        self._loop.remove_reader(self._sock)
        self._loop.remove_writer(self._sock)
        self._sock.close()
        protocol: Any = self._protocol
        protocol.connection_lost(error)
