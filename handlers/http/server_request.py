"""A request as Tornado's handlers know it, made in half the time where nothing has to be parsed."""

import time
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any, Final

from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)

from handlers.http.header_map import HeaderMap

HOSTS_REMEMBERED: Final = 256
"""So many of the latest values of `Host` are checked once; a server has few."""

Find = Callable[[HTTPServerRequest], HTTPMessageDelegate]


class ServerRequest(HTTPServerRequest):
    """A request without a query. It has all that Tornado's own has, with the same values.

    Args:
        start_line: its first line.
        headers: one of them is its only `Host`.
        host_name: that value in lower case, without a port.
        connection: where its answer goes.
        server_connection: as Tornado names it.
    """

    def __init__(
        self,
        start_line: RequestStartLine,
        headers: HTTPHeaders,
        host_name: str,
        connection: HTTPConnection,
        server_connection: object,
    ) -> None:
        self.method, self.uri, self.version = start_line
        self.headers = headers
        self.host, self.host_name = headers["Host"], host_name
        context = getattr(connection, "context", None)
        self.remote_ip = getattr(context, "remote_ip", None)
        self.protocol = getattr(context, "protocol", "http")
        self.connection, self.server_connection = connection, server_connection
        self.path, self.query = self.uri, ""
        self.body = b""
        self.arguments: dict[str, list[bytes]] = {}
        self.query_arguments: dict[str, list[bytes]] = {}
        self.body_arguments: dict[str, list[bytes]] = {}
        self.files = {}
        self._start_time = time.time()
        self._finish_time = None


class RequestDelegate(HTTPMessageDelegate):
    """Makes the request, and hands everything on to whoever answers it.

    Args:
        find: finds who answers a request.
        server_connection: as Tornado names it.
        connection: where the answer goes.
    """

    def __init__(self, find: Find, server_connection: object, connection: HTTPConnection) -> None:
        self._find = find
        self._server_connection = server_connection
        self._connection = connection
        self._found = HTTPMessageDelegate()  # of a request that was refused, nobody is told

    def headers_received(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
    ) -> Awaitable[None] | None:
        """Find who answers.

        Raises:
            HTTPInputError: the request names no host, or several, or its query is malformed.
        """
        assert isinstance(start_line, RequestStartLine)  # noqa: S101 - as Tornado does
        self._found = self._find(self._request(start_line, headers))
        return self._found.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Hand on a piece of the body."""
        return self._found.data_received(chunk)

    def finish(self) -> None:
        """Tell that the request is complete."""
        self._found.finish()

    def on_connection_close(self) -> None:
        """Tell that the rest of it will not come."""
        self._found.on_connection_close()

    def _request(self, line: RequestStartLine, headers: HTTPHeaders) -> HTTPServerRequest:
        host = headers.get("Host")
        if host is None or "?" in line.path:
            return _checked(line, headers, self._connection, self._server_connection)
        name = _host_name(host)
        return ServerRequest(line, headers, name, self._connection, self._server_connection)


def _checked(
    line: RequestStartLine, headers: HTTPHeaders, connection: Any, server_connection: Any
) -> HTTPServerRequest:
    """Return Tornado's own request, after all its checks."""
    return HTTPServerRequest(
        start_line=line,
        headers=headers,
        connection=connection,
        server_connection=server_connection,
    )


@lru_cache(HOSTS_REMEMBERED)
def _host_name(host: str) -> str:
    """Return the name in a value of `Host`, after Tornado's checks of it.

    Raises:
        HTTPInputError: it is no host.
    """
    line = RequestStartLine("GET", "/", "HTTP/1.1")
    return _checked(line, HeaderMap.of({"Host": host}), None, None).host_name
