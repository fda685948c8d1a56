"""Runs a handler that gets the body of its request in pieces."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import StreamClosedError
from tornado.web import Application, RequestHandler

from server.store.contained import contained


def is_streamed(handler: type[RequestHandler]) -> bool:
    """Return whether a handler gets its body in pieces: Tornado's `stream_request_body`."""
    return bool(handler._stream_request_body)  # noqa: SLF001 - it leaves its mark there only


class StreamedDelegate(HTTPMessageDelegate):
    """Lets a handler check the head, gives it the pieces, and lets it check again before it acts.

    Tornado's own delegate does not check again, although a body may have taken minutes, and tells
    the handler of no end if the body was cut off.

    Args:
        application: what the handler belongs to.
        request: up to its body.
        handler_class: a handler that reads its body in pieces.
        arguments: of its `initialize`.
        path: the variable parts of the path, without and with names.
        tasks: what is under way. asyncio itself would let the collector take a task.
    """

    def __init__(
        self,
        application: Application,
        request: HTTPServerRequest,
        handler_class: type[RequestHandler],
        arguments: Mapping[str, Any],
        path: tuple[Sequence[bytes], Mapping[str, bytes]],
        tasks: set[asyncio.Task[None]],
    ) -> None:
        self._application = application
        self._request = request
        self._handler_class = handler_class
        self._arguments = arguments
        self._path = path
        self._tasks = tasks

    def headers_received(
        self,
        start_line: RequestStartLine | ResponseStartLine,  # noqa: ARG002 - Tornado's signature
        headers: HTTPHeaders,  # noqa: ARG002 - likewise
    ) -> Awaitable[None] | None:
        """Run the handler. The body may come when its `prepare` has ended."""
        loop, request = asyncio.get_running_loop(), self._request
        self._body: asyncio.Future[None] = loop.create_future()
        prepared: asyncio.Future[None] = loop.create_future()
        handler: Any = self._handler_class(self._application, request, **self._arguments)
        # Tornado has no public way to tell a handler what it waits for, or who waits for it.
        request._body_future = self._body  # noqa: SLF001
        handler._prepared_future = prepared  # noqa: SLF001
        self._handler = handler
        self._start(self._run())
        return prepared

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Give the handler a piece of the body, unless it has failed by an earlier one."""
        if self._body.done():
            return None
        try:
            with contained():
                taken: Awaitable[None] | None = self._handler.data_received(chunk)
        except Exception as error:  # noqa: BLE001 - the handler answers with it
            self._body.set_exception(error)
            return None
        return None if taken is None else self._taken(taken)

    def finish(self) -> None:
        """Let the handler act: the body is complete."""
        self._start(self._hand_over())

    def on_connection_close(self) -> None:
        """Tell the handler that the rest of the body will not come."""
        self._handler.on_connection_close()

    async def _run(self) -> None:
        handler, (args, named) = self._handler, self._path
        transforms = [each(self._request) for each in self._application.transforms]
        await handler._execute(transforms, *args, **named)  # noqa: SLF001 - likewise
        is_cut = self._body.done() and isinstance(self._body.exception(), StreamClosedError)
        if is_cut and not handler._finished:  # noqa: SLF001 - likewise
            handler.on_finish()

    async def _taken(self, taken: Awaitable[None]) -> None:
        try:
            with contained():
                await taken
        except Exception as error:  # noqa: BLE001 - the handler answers with it
            if not self._body.done():
                self._body.set_exception(error)

    async def _hand_over(self) -> None:
        flaw: Exception | None = None
        try:
            if check := getattr(self._handler, "check_again", None):
                await check()
        except Exception as error:  # noqa: BLE001 - the handler answers with it
            flaw = error
        if self._body.done():  # the client has gone meanwhile
            return
        if flaw is None:
            self._body.set_result(None)
        else:
            self._body.set_exception(flaw)

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
