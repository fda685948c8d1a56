"""Runs a handler for a request whose address leads to one handler alone."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.web import Application, RequestHandler


class HandlerDelegate(HTTPMessageDelegate):
    """Collects the body of a request, then runs its handler in a task.

    Tornado's own delegate converts whatever a handler may have returned since the days of
    generators, and makes two more calls of the loop at the end of each task, which cost more than
    the task itself.

    Args:
        application: what the handler belongs to.
        request: up to its body.
        handler_class: a handler that does not read its body in pieces.
        arguments: of its `initialize`.
        tasks: what is under way. asyncio itself would let the collector take a task.

    Attributes:
        handler_class: the same.
    """

    def __init__(
        self,
        application: Application,
        request: HTTPServerRequest,
        handler_class: type[RequestHandler],
        arguments: Mapping[str, Any],
        tasks: set[asyncio.Task[None]],
    ) -> None:
        self._application = application
        self._request = request
        self.handler_class = handler_class
        self._arguments = arguments
        self._tasks = tasks
        self._body: bytearray | None = None
        """None as long as there is none, which most requests keep."""

    def headers_received(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
    ) -> Awaitable[None] | None:
        """Wait for the body."""

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Keep a piece of the body."""
        if self._body is None:
            self._body = bytearray()
        self._body += chunk
        return None

    def finish(self) -> None:
        """Run the handler: the request is complete."""
        self._request.body = bytes(self._body or b"")
        application = self._application
        handler = self.handler_class(application, self._request, **self._arguments)
        transforms = [each(self._request) for each in application.transforms]
        # Tornado has no public method that does what a handler is for.
        task = asyncio.get_running_loop().create_task(handler._execute(transforms))  # noqa: SLF001
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def on_connection_close(self) -> None:
        """Forget the body: the rest of it will not come."""
        self._body = None
