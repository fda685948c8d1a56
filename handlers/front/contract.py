"""What the parts of a connection need of each other."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from tornado.httputil import HTTPHeaders, HTTPMessageDelegate

from handlers.front.exchange import Exchange
from handlers.front.head_reader import HeadReader
from handlers.front.message_turns import MessageTurns
from handlers.front.parser import Head, Refused
from handlers.front.turns import Share


class ConnectionServer(Protocol):
    """The server that a connection belongs to."""

    def start_request(self, server_conn: object, request_conn: Exchange) -> HTTPMessageDelegate:
        """Return what handles the next request."""
        ...

    @property
    def is_draining(self) -> bool:
        """Whether answers say that their connection ends."""
        ...

    @property
    def buffer(self) -> memoryview:
        """What connections read into, one after the other."""
        ...

    @property
    def heads(self) -> HeadReader:
        """Reads the heads of requests."""
        ...

    @property
    def message_turns(self) -> MessageTurns | None:
        """The turns of the users whose messages come on sockets."""
        ...

    def share_of_client(self, proxy: Share, context: Any, headers: HTTPHeaders) -> Share:
        """Return the share of the client whose request a trusted proxy has sent.

        Args:
            proxy: its share, which the request has if its client is not known.
            context: who it is.
            headers: of the request.
        """
        ...

    def context_of(self, transport: asyncio.Transport) -> Any:
        """Return who the peer is, in Tornado's form."""
        ...

    def count_malformed(self, status: int, /) -> object:
        """Count a request that no handler gets, by the status of its answer."""
        ...

    def on_close(self, server_conn: object) -> None:
        """Forget a connection that is closed or detached."""
        ...


class ReadingConnection(Protocol):
    """What `Incoming` needs of its connection."""

    @property
    def takes_requests(self) -> bool:
        """Whether it is neither closed nor about to be."""
        ...

    def when_client_may_begin(self, head: Head, begin: Callable[[], None]) -> bool:
        """Return whether a request may begin now; else call `begin` when it may.

        Args:
            head: of the request; behind a trusted proxy, it says whose it is.
            begin: what begins it.
        """
        ...

    def begin(self, head: Head) -> tuple[Exchange, HTTPMessageDelegate]:
        """Return the exchange for a request, and the delegate that handles it."""
        ...

    def send(self, data: bytes) -> asyncio.Future[None]:
        """Send to the peer."""
        ...

    def wait_until(self, due: float) -> None:
        """Set when the peer must have sent the next bytes, by the loop's clock."""
        ...

    def read_on_in_turn(self) -> None:
        """Call `Incoming.read` again when it has its turn."""
        ...

    def bound_reading(self) -> None:
        """Stop reading while too many bytes wait, and start again afterwards."""
        ...

    def refuse(self, refused: Refused) -> None:
        """Answer a malformed request, and end."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...
