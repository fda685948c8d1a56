"""Tornado's HTTP server, with bounds on what connects to it and never gets on with it."""

import copy
from typing import Any, cast

from tornado.http1connection import HTTP1ServerConnection
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPMessageDelegate
from tornado.iostream import IOStream

from handlers.http.connection_limits import ConnectionLimits


class BoundedServer(HTTPServer):
    """One process's server. Other arguments are Tornado's.

    Args:
        connection_limits: counts the connections, and says when there are too many.
        first_timeout: seconds that a new connection gets for its first request's headers.
    """

    def initialize(  # type: ignore[override]  # has two arguments more
        self, *args: Any, connection_limits: ConnectionLimits, first_timeout: float, **more: Any
    ) -> None:
        """Take the arguments; Tornado calls this in place of a constructor."""
        super().initialize(*args, **more)
        self._connection_limits = connection_limits
        self._first_timeout = first_timeout
        self._later_timeout = self.conn_params.header_timeout
        self._begun: set[object] = set()

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Serve a connection, or close it at once where there is no room."""
        peer = str(address[0])
        if not self._connection_limits.has_room_for(peer):
            stream.close()
            return
        self._connection_limits.enter(peer)
        # The connection made now keeps these for itself, so that they can change with its requests.
        self.conn_params = copy.copy(self.conn_params)
        self.conn_params.header_timeout = self._first_timeout
        super().handle_stream(stream, address)

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        """Wait for a request: after the first one, a kept connection may be idle for longer."""
        if server_conn in self._begun:
            _connection(server_conn).params.header_timeout = self._later_timeout
        self._begun.add(server_conn)
        return super().start_request(server_conn, request_conn)

    def on_close(self, server_conn: object) -> None:
        """Count a connection no more: it is gone, or has become a socket."""
        super().on_close(server_conn)
        self._begun.discard(server_conn)
        context: Any = _connection(server_conn).context
        self._connection_limits.leave(str(context.address[0]))


def _connection(server_conn: object) -> HTTP1ServerConnection:
    return cast("HTTP1ServerConnection", server_conn)
