"""One request and its answer: what Tornado's handlers know as their connection."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, cast

from tornado.http1connection import parse_int
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPOutputError,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream, StreamClosedError

from handlers.front import responses
from handlers.front.parser import Head


class WritingConnection(Protocol):
    """The connection that an answer goes out on.

    Attributes:
        context: who the peer is.
        is_gone: whether nothing can be written any more.
    """

    context: Any
    is_gone: bool

    def send(self, data: bytes) -> asyncio.Future[None]:
        """Send bytes. The future is done when the system has taken all of them."""
        ...

    def answered(self) -> None:
        """Continue: the answer is complete."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...

    def detach(self) -> IOStream:
        """Hand the connection over."""
        ...

    def view(self) -> Any:
        """Return the connection as a stream, for those who look at its socket."""
        ...

    def set_body_timeout(self, seconds: float) -> None:
        """Limit how long the rest of the request's body may take."""
        ...


class Exchange(HTTPConnection):
    """One request and its answer.

    Args:
        connection: carries the request and its answer.
        head: the request.
        max_body_size: bytes that its body may have.
        keeps_alive: whether another request may follow.

    Attributes:
        context: who the peer is, for `HTTPServerRequest`.
        max_body_size: bytes that its body may have; the handler may change it.
        keeps_alive: whether another request may follow.
        is_answered: whether the answer is complete.
        has_begun: whether any of the answer has gone out.
    """

    def __init__(
        self, connection: WritingConnection, head: Head, max_body_size: int, *, keeps_alive: bool
    ) -> None:
        self.context = connection.context
        self.max_body_size = max_body_size
        self.keeps_alive = keeps_alive
        self.is_answered = False
        self.has_begun = False
        self._connection: WritingConnection | None = connection
        self._request_line = head.start_line
        self._close_callback: Callable[[], None] | None = None
        self._in_chunks = False
        self._left: int | None = None
        """Bytes of the announced Content-Length that are still to be written."""

    @property
    def method(self) -> str:
        """The request's method."""
        return self._request_line.method

    @property
    def stream(self) -> Any:
        """Where Tornado looks for a client's certificate; None after `detach`."""
        return self._connection.view() if self._connection is not None else None

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """Set what is called if the peer is gone before it has its answer."""
        self._close_callback = callback

    def set_max_body_size(self, max_body_size: int) -> None:
        """Set how many bytes this request's body may have."""
        self.max_body_size = max_body_size

    def set_body_timeout(self, timeout: float) -> None:
        """Set how many seconds this request's body may take."""
        if self._connection is not None:
            self._connection.set_body_timeout(timeout)

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> asyncio.Future[None]:
        """Begin the answer, together with the first part of its body."""
        line = cast("ResponseStartLine", start_line)
        self._frame(line, headers)
        data = responses.head(line, headers)
        return self._send(data + self._format(chunk) if chunk else data)

    def write(self, chunk: bytes) -> asyncio.Future[None]:
        """Send a part of the body."""
        return self._send(self._format(chunk))

    def finish(self) -> None:
        """End the answer.

        Raises:
            HTTPOutputError: it said that its body would be longer; the connection is closed.
        """
        connection = self._connection
        if connection is None or self.is_answered:
            return
        if self._left and not connection.is_gone:
            connection.abort()
            raise HTTPOutputError(f"Tried to write {self._left} bytes less than Content-Length")
        if self._in_chunks:
            self._send(responses.LAST_CHUNK)
        self.is_answered = True
        self._close_callback = None
        connection.answered()

    def detach(self) -> IOStream:
        """Hand the connection over to another protocol, such as WebSocket."""
        connection = self._connection
        if connection is None:
            raise RuntimeError("the connection was given away before")
        self._connection = self._close_callback = None
        self.is_answered = True
        return connection.detach()

    def close(self) -> None:
        """Close the connection at once."""
        if self._connection is not None:
            self._connection.abort()

    def drop(self) -> None:
        """Send nothing more of the answer."""
        self.is_answered = True

    def peer_is_gone(self) -> None:
        """Tell the handler that nobody will read its answer."""
        callback, self._close_callback = self._close_callback, None
        if callback is not None:
            callback()

    def _frame(self, line: ResponseStartLine, headers: HTTPHeaders) -> None:
        """Add the headers that say how the answer ends and whether the connection does."""
        method, _, version = self._request_line
        has_length = "Content-Length" in headers
        has_body = responses.may_have_body(method, line.code)
        self._in_chunks = version == "HTTP/1.1" and has_body and not has_length
        if self._in_chunks:
            headers["Transfer-Encoding"] = "chunked"
        elif has_body and not has_length:
            self.keeps_alive = False  # its end is the connection's
        if line.code == 101:  # noqa: PLR2004 - Switching Protocols
            self.keeps_alive = True
        elif version == "HTTP/1.1" and not self.keeps_alive:
            headers["Connection"] = "close"
        elif version == "HTTP/1.0" and self.keeps_alive:
            headers["Connection"] = "Keep-Alive"
        if method == "HEAD" or line.code == 304:  # noqa: PLR2004 - Not Modified
            self._left = 0
        else:
            self._left = parse_int(headers["Content-Length"]) if has_length else None

    def _format(self, chunk: bytes) -> bytes:
        if self._left is not None:
            self._left -= len(chunk)
            if self._left < 0:
                self.close()
                raise HTTPOutputError("Tried to write more data than Content-Length")
        return responses.chunk(chunk) if self._in_chunks else chunk

    def _send(self, data: bytes) -> asyncio.Future[None]:
        if self._connection and not self._connection.is_gone and not self.is_answered:
            self.has_begun = True
            return self._connection.send(data)
        gone: asyncio.Future[None] = asyncio.Future()
        gone.set_exception(StreamClosedError())
        gone.exception()  # told; most callers do not wait for it
        return gone
