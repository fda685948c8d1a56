"""Tornado's HTTP server, on connections that are read by llhttp and have limits."""

import asyncio
import socket
import ssl
from functools import partial
from types import SimpleNamespace
from typing import Any, Final, cast

from tornado.http1connection import _GzipMessageDelegate
from tornado.httpserver import HTTPServer, _HTTPRequestContext
from tornado.httputil import HTTPConnection, HTTPMessageDelegate
from tornado.iostream import IOStream
from tornado.netutil import ssl_options_to_context

from handlers.front.connection import HttpConnection
from handlers.front.limits import READ_BYTES, FrontLimits
from handlers.front.tls_transport import TlsTransport
from handlers.front.turns import Turns
from handlers.http.connection_limits import UNLIMITED, ConnectionLimits

MAX_BODY_BYTES: Final = 100 * 1024 * 1024
"""Bytes of one body, if the application sets no limit. Tornado's default."""


class FrontServer(HTTPServer):
    """One process's server. Other arguments are Tornado's.

    Args:
        connection_limits: counts the connections, and says when there are too many.
        first_timeout: seconds that a new connection gets for its first request's headers; as many
            as later ones if it is not said.
    """

    def initialize(
        self,
        *args: Any,
        connection_limits: ConnectionLimits | None = None,
        first_timeout: float | None = None,
        **more: Any,
    ) -> None:
        """Take the arguments; Tornado calls this in place of a constructor."""
        super().initialize(*args, **more)
        params, most = self.conn_params, self.conn_params.max_body_size
        self._tls = (
            None
            if self.ssl_options is None
            else ssl_options_to_context(self.ssl_options, server_side=True)
        )
        self._connection_limits = connection_limits or ConnectionLimits(UNLIMITED)
        idle_timeout = params.header_timeout or 3600.0
        self._limits = FrontLimits(
            header_bytes=params.max_header_size,
            body_bytes=MAX_BODY_BYTES if most is None else most,
            first_timeout=first_timeout or idle_timeout,
            idle_timeout=idle_timeout,
            body_timeout=params.body_timeout,
            piece_bytes=params.chunk_size,
            keep_alive=not params.no_keep_alive,
        )
        self._turns: Turns | None = None
        self.buffer = memoryview(bytearray(READ_BYTES))
        self._open: dict[HttpConnection, str] = {}
        self._opening: set[asyncio.Task[Any]] = set()
        self._all_closed = asyncio.Event()

    def _handle_connection(self, connection: socket.socket, address: Any) -> None:
        """Serve a connection, or close it at once if there are too many.

        Tornado has no public place for this one; every test notices when the name changes.
        """
        peer = str(address[0]) if address else ""
        if not self._connection_limits.has_room_for(peer):
            connection.close()
            return
        connection.setblocking(False)
        self._connection_limits.enter(peer)
        loop = asyncio.get_running_loop()
        due = loop.time() + self._limits.first_timeout
        is_of_many = self._connection_limits.is_of_many(peer)
        share = self._turns_of(loop).share_of(peer, is_of_many=is_of_many)
        made = HttpConnection(self, self._limits, share, due)
        self._open[made] = peer
        if self._tls is not None:
            try:
                wrapped = self._tls.wrap_socket(
                    connection, server_side=True, do_handshake_on_connect=False
                )
            except OSError:  # the peer is gone
                connection.close()
                self.on_close(made)
            else:
                TlsTransport(loop, wrapped, address, made, share)
            return
        opening = loop.create_task(loop.connect_accepted_socket(lambda: made, connection))
        self._opening.add(opening)
        opening.add_done_callback(partial(self._opened, made, connection))

    def _opened(
        self, made: HttpConnection, connection: socket.socket, opening: asyncio.Task[Any]
    ) -> None:
        """Forget a connection that did not open: its peer is gone, or the server stops."""
        self._opening.discard(opening)
        if opening.cancelled() or opening.exception() is not None:
            connection.close()
            self.on_close(made)

    def _turns_of(self, loop: asyncio.AbstractEventLoop) -> Turns:
        """Return the turns of the loop in which this server serves."""
        if self._turns is None:
            self._turns = Turns(loop)
        return self._turns

    def context_of(self, transport: asyncio.Transport) -> Any:
        """Return who the peer is, in Tornado's form."""
        stream = cast("IOStream", SimpleNamespace(socket=transport.get_extra_info("socket")))
        address = transport.get_extra_info("peername")
        protocol = self.protocol or ("https" if self._tls else "http")
        return _HTTPRequestContext(stream, address, protocol, self.trusted_downstream)

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        """Return what handles the next request, behind a decompressor if the server has one."""
        delegate = super().start_request(server_conn, request_conn)
        if self.conn_params.decompress:
            return _GzipMessageDelegate(delegate, self._limits.piece_bytes, self._limits.body_bytes)
        return delegate

    def use_certificate(self, context: ssl.SSLContext) -> None:
        """Serve later connections with another TLS context. Those that are open keep theirs."""
        self._tls = context

    def on_close(self, server_conn: object) -> None:
        """Forget a connection that is closed, or has become a socket."""
        peer = self._open.pop(cast("HttpConnection", server_conn), None)
        if peer is not None:
            self._connection_limits.leave(peer)
        if not self._open:
            self._all_closed.set()

    async def close_all_connections(self) -> None:
        """Close all connections except sockets, and wait until they are closed."""
        for opening in self._opening:
            opening.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        while self._open:
            self._all_closed.clear()
            for each in list(self._open):
                each.close()
            await self._all_closed.wait()
