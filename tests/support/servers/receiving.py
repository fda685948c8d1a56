"""An application that does nothing by itself: a test sees its requests, and answers them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)

from handlers.front.connection import HttpConnection
from handlers.front.exchange import Exchange
from handlers.front.head_reader import HeadReader
from handlers.front.limits import READ_BYTES, FrontLimits
from handlers.front.turns import Share, Turns
from tests.support.clients.peer import Peer, connected

LIMITS = FrontLimits(
    header_bytes=1000,
    body_bytes=100_000,
    first_timeout=60.0,
    idle_timeout=60.0,
    body_timeout=60.0,
    piece_bytes=1000,
    keep_alive=True,
)


class ReceivedRequest(HTTPMessageDelegate):
    """A request as it comes in.

    Attributes:
        exchange: answers it.
        is_whole: is set when all of it has come.
        is_cut: is set when no more of it will come.
        may_go_on: what the application has yet to wait for before more may come, if anything.
        failure: what the application fails with, if it does.
    """

    start_line: RequestStartLine

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.body = b""
        self.is_whole = asyncio.Event()
        self.is_cut = asyncio.Event()
        self.may_go_on: asyncio.Future[None] | None = None
        self.failure: Exception | None = None

    def headers_received(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,  # noqa: ARG002 - Tornado's signature
    ) -> asyncio.Future[None] | None:
        """Take the head."""
        self.start_line = cast("RequestStartLine", start_line)
        if self.failure is not None:
            raise self.failure
        return self.may_go_on

    def data_received(self, chunk: bytes) -> asyncio.Future[None] | None:
        """Take a piece of the body."""
        self.body += chunk
        return self.may_go_on

    def finish(self) -> None:
        """Note that all of it is here."""
        self.is_whole.set()

    def on_connection_close(self) -> None:
        """Note that it stays incomplete."""
        self.is_cut.set()

    def answer(self, text: bytes = b"") -> None:
        """Answer with 200."""
        headers = HTTPHeaders({"Content-Length": str(len(text))})
        self.exchange.write_headers(ResponseStartLine("", 200, "OK"), headers, text)
        self.exchange.finish()


class ReceivingServer:
    """The server of one connection.

    Attributes:
        begun: all requests that have begun.
        is_closed: is set when the connection has left the server.
        may_go_on: what requests that begin from now on wait for, if anything.
        failure: what they fail with, if they do.
        buffer: what the connection reads into.
        is_draining: whether it is about to stop.
        malformed: the statuses of requests that no handler got.
    """

    def __init__(self) -> None:
        self.begun = list[ReceivedRequest]()
        self.is_closed = asyncio.Event()
        self.may_go_on: asyncio.Future[None] | None = None
        self.failure: Exception | None = None
        self.buffer = memoryview(bytearray(READ_BYTES))
        self.heads = HeadReader()
        self.malformed = list[int]()
        self.is_draining = False
        self._new = asyncio.Queue[ReceivedRequest]()

    def start_request(self, server_conn: object, request_conn: Exchange) -> HTTPMessageDelegate:  # noqa: ARG002 - Tornado's signature
        """Note that a request begins."""
        request = ReceivedRequest(request_conn)
        request.may_go_on, request.failure = self.may_go_on, self.failure
        self.begun.append(request)
        self._new.put_nowait(request)
        return request

    def context_of(self, transport: asyncio.Transport) -> Any:  # noqa: ARG002 - the front's signature
        """Say who the peer is."""
        return "the peer"

    @property
    def message_turns(self) -> None:
        """No users send messages here."""

    def share_of_client(self, proxy: Share, context: Any, headers: HTTPHeaders) -> Share:  # noqa: ARG002 - the front's signature
        """Return the proxy's own: its clients are not known."""
        return proxy

    def on_close(self, server_conn: object) -> None:  # noqa: ARG002 - Tornado's signature
        """Note that the connection has left."""
        self.is_closed.set()

    def count_malformed(self, status: int, /) -> None:
        """Note it."""
        self.malformed.append(status)

    async def request(self) -> ReceivedRequest:
        """Wait for the next request's head."""
        async with asyncio.timeout(20):
            return await self._new.get()

    async def whole_request(self) -> ReceivedRequest:
        """Wait for the next request, and for all of it."""
        request = await self.request()
        async with asyncio.timeout(20):
            await request.is_whole.wait()
        return request


@asynccontextmanager
async def receiving(limits: FrontLimits = LIMITS) -> AsyncIterator[tuple[ReceivingServer, Peer]]:
    """Connect a peer to such an application."""
    server = ReceivingServer()
    loop = asyncio.get_running_loop()
    due, share = loop.time() + limits.first_timeout, Turns(loop).share_of("192.0.2.1")
    async with connected(lambda: HttpConnection(server, limits, share, due)) as (_, peer):
        yield server, peer
    async with asyncio.timeout(20):
        await server.is_closed.wait()
