"""Tornado's HTTP server, on connections that are read by llhttp and have limits."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from types import SimpleNamespace
from typing import Any, Final, cast

from tornado.http1connection import _GzipMessageDelegate
from tornado.httpserver import HTTPServer, _HTTPRequestContext
from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPMessageDelegate
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream
from tornado.netutil import ssl_options_to_context

from handlers.front.connection import HttpConnection
from handlers.front.head_reader import HeadReader
from handlers.front.limits import ACCEPT_AT_ONCE, READ_BYTES, FrontLimits
from handlers.front.message_turns import MessageTurns
from handlers.front.reading import has_left
from handlers.front.tls_transport import TlsTransport
from handlers.front.turns import Share, Turns
from handlers.http.connection_limits import ConnectionLimits
from server.core.listen_address import AS_CLIENT
from server.core.open_files import UNLIMITED

MAX_BODY_BYTES: Final = 100 * 1024 * 1024
"""Bytes of one body, if the application sets no limit. Tornado's default."""


class FrontServer(HTTPServer):
    """One process's server. Other arguments are Tornado's.

    Args:
        connection_limits: counts the connections, and says when there are too many.
        first_timeout: seconds that a new connection gets for its first request's headers; as many
            as later ones if it is not said.
        on_malformed: called with the status of the answer to a request that no handler gets.

    Attributes:
        is_draining: whether answers say that their connection ends, because the server stops.
        message_turns: those of the users whose messages come on sockets; None before the first
            connection.
    """

    def initialize(
        self,
        *args: Any,
        connection_limits: ConnectionLimits | None = None,
        first_timeout: float | None = None,
        on_malformed: Callable[[int], object] = lambda _: None,
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
        self.count_malformed = on_malformed
        self.is_draining = False
        self._listening: list[socket.socket] = []
        self._turns: Turns | None = None
        self.message_turns: MessageTurns | None = None
        self.buffer = memoryview(bytearray(READ_BYTES))
        self.heads = HeadReader()
        self._open: dict[HttpConnection, str] = {}
        self._waiting: dict[socket.socket, str] = {}
        """Accepted, and not open yet: there is a turn for each. A crowd's costs little until then,
        so that somebody who connects behind it is found soon."""
        self._opening: dict[HttpConnection, asyncio.Task[Any]] = {}
        self._all_closed = asyncio.Event()

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        """Accept connections on these sockets, which listen already."""
        for listening in sockets:
            self._listening.append(listening)
            self._sockets[listening.fileno()] = listening
            self._handlers[listening.fileno()] = self._accept_on(listening)

    def _accept_on(self, listening: socket.socket) -> Callable[[], None]:
        """Accept a few connections in each turn; return what ends it.

        Tornado accepts all that wait at once, which is as much as a crowd sends.
        """
        loop = IOLoop.current()

        def accept(_: Any, __: int) -> None:
            for _ in range(ACCEPT_AT_ONCE):
                try:
                    connection, address = listening.accept()
                except (BlockingIOError, ConnectionAbortedError):
                    return
                self._handle_connection(connection, address)
            self._turns_of(asyncio.get_running_loop()).expect_others()

        loop.add_handler(listening, accept, IOLoop.READ)
        return partial(loop.remove_handler, listening)

    def stop_accepting(self) -> None:
        """Accept the connections that wait already, and no more.

        The system resets those that still wait when the last process closes the port. A proxy that
        has sent its request there by then cannot know whether it was handled. So the port is closed
        as soon as nobody waits, before anything is done for those who did.
        """
        accepted = []
        for each in self._listening:
            number = each.fileno()
            self._handlers.pop(number)()
            del self._sockets[number]
            with suppress(OSError):
                while True:
                    accepted.append(each.accept())
            each.close()
        self._listening.clear()
        self.stop()
        for connection, address in accepted:
            self._handle_connection(connection, address)

    async def all_closed(self) -> None:
        """Wait until all connections except sockets are closed."""
        while self._open or self._waiting:
            self._all_closed.clear()
            await self._all_closed.wait()

    def _handle_connection(self, connection: socket.socket, address: Any) -> None:
        """Serve a connection, or close it at once if there are too many.

        Tornado has no public place for this one; every test notices when the name changes.
        """
        peer = peer_of(address)
        if not self._connection_limits.has_room_for(peer):
            connection.close()
            return
        connection.setblocking(False)
        self._connection_limits.enter(peer)
        loop = asyncio.get_running_loop()
        due = loop.time() + self._limits.first_timeout
        is_of_many = self._connection_limits.is_of_many(peer)
        share = self._turns_of(loop).share_of(peer, is_of_many=is_of_many)
        if share.may_begin():
            self._open_connection(connection, address, share, due)
        else:
            self._waiting[connection] = peer
            share.wait(partial(self._open_in_turn, connection, address, share, due))

    def _open_in_turn(
        self, connection: socket.socket, address: Any, share: Share, due: float
    ) -> None:
        """Open a connection that was accepted in an earlier turn, unless it has ended since."""
        peer = self._waiting.pop(connection, None)
        if peer is None:
            return
        if has_left(connection):
            connection.close()
            self._leave(peer)
        else:
            self._open_connection(connection, address, share, due)

    def _open_connection(
        self, connection: socket.socket, address: Any, share: Share, due: float
    ) -> None:
        loop = asyncio.get_running_loop()
        made = HttpConnection(self, self._limits, share, due)
        self._open[made] = peer_of(address)
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
        self._opening[made] = opening
        opening.add_done_callback(partial(self._opened, made, connection))

    def _opened(
        self, made: HttpConnection, connection: socket.socket, opening: asyncio.Task[Any]
    ) -> None:
        """Forget a connection that did not open: its peer is gone, or the server stops."""
        del self._opening[made]
        if opening.cancelled() or opening.exception() is not None:
            connection.close()
            self.on_close(made)

    def _turns_of(self, loop: asyncio.AbstractEventLoop) -> Turns:
        """Return the turns of the loop in which this server serves."""
        if self._turns is None:
            self._turns = Turns(loop)
            self.message_turns = MessageTurns(self._turns.requests, self._turns.now)
        return self._turns

    def share_of_client(self, proxy: Share, context: Any, headers: HTTPHeaders) -> Share:
        """Return the share of the client whose request a trusted proxy has sent."""
        limits, forwarded = self._connection_limits, headers.get("X-Forwarded-For")
        client = limits.client_behind(context.remote_ip, forwarded)
        if self._turns is None or limits.is_of_many(client):  # the proxy does not name it
            return proxy
        return self._turns.share_of(client, is_behind=True)

    def context_of(self, transport: asyncio.Transport) -> Any:
        """Return who the peer is, in Tornado's form."""
        stream = cast("IOStream", SimpleNamespace(socket=transport.get_extra_info("socket")))
        address = transport.get_extra_info("peername")
        protocol = self.protocol or ("https" if self._tls else "http")
        context = _HTTPRequestContext(stream, address, protocol, self.trusted_downstream)
        if stream.socket.family == socket.AF_UNIX:
            context.remote_ip = peer_of(address)
        return context

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
            self._leave(peer)

    def _leave(self, peer: str) -> None:
        """Stop counting a connection."""
        self._connection_limits.leave(peer)
        if not self._open and not self._waiting:
            self._all_closed.set()

    def close_idle_connections(self) -> None:
        """Close connections on which no request is under way. While draining, others follow.

        A request whose connection closes under it may be one that a proxy does not send again.
        """
        for each in self._open.keys() - self._opening.keys():
            if each.is_idle:
                each.close()

    async def close_all_connections(self) -> None:
        """Close all connections except sockets, and wait until they are closed."""
        while self._waiting:
            connection, peer = self._waiting.popitem()
            connection.close()
            self._leave(peer)
        for opening in self._opening.values():
            opening.cancel()
        await asyncio.gather(*self._opening.values(), return_exceptions=True)
        while self._open:
            self._all_closed.clear()
            for each in list(self._open):
                each.close()
            await self._all_closed.wait()


def peer_of(address: Any) -> str:
    """Return the address of a peer. One on a Unix socket is a process on this machine."""
    return str(address[0]) if isinstance(address, tuple) else AS_CLIENT
