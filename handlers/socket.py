"""`GET /ws`: carries a `Socket` over Tornado."""

import secrets

from handlers import origins
from handlers.access import Access
from handlers.base import BaseHandler
from handlers.problems import Problem, ProblemRaised
from server.core.errors import StoreUnavailable, WriteConflict
from server.core.messages import SUBPROTOCOL
from server.live.socket import Socket
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

WRONG_SUBPROTOCOL = Problem(
    400, "wrong-subprotocol", "Unknown subprotocol", f"This server speaks {SUBPROTOCOL}."
)


class SocketHandler(BaseHandler, WebSocketHandler):
    """One socket; `server.live.socket` says how it lives."""

    access = Access.PUBLIC  # without a session the socket is told why, which needs the upgrade
    may_rotate = False  # after the 101 there is no answer that could carry a cookie
    verified = True

    async def prepare(self) -> None:
        """Let our own pages through; find out about the session."""
        self._refuse_wrong_address()
        self.allow(origins.refuse_socket(self.request.headers, self.application.origins))
        try:
            await self.load_session()
        except (StoreUnavailable, WriteConflict):
            self.verified = False

    def check_origin(self, origin: str) -> bool:  # noqa: ARG002 - `prepare` has compared it exactly
        """True: Tornado's comparison with the client's own Host header adds nothing."""
        return True

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Ours, if the client offers any."""
        if not subprotocols:
            return None
        if SUBPROTOCOL not in subprotocols:
            raise ProblemRaised(WRONG_SUBPROTOCOL)
        return SUBPROTOCOL

    async def open(self, *_args: str, **_kwargs: str) -> None:
        """Open the socket with what the cookie was found to be."""
        found = self.live.session if self.live else self.farewell
        self.socket = Socket(secrets.token_urlsafe(9), Carrier(self), self.services.socket_parts)
        await self.socket.open(found if self.verified else None)

    async def on_message(self, message: str | bytes) -> None:
        """The next frame is read when this one is dealt with."""
        await self.socket.receive(message)

    def on_close(self) -> None:
        """The socket is gone."""
        self.socket.closed()


class Carrier:
    """Implements the socket's `Transport` on a Tornado handler."""

    def __init__(self, handler: WebSocketHandler) -> None:
        self._handler = handler

    async def write(self, frame: str) -> None:
        """Hand over a frame; done when Tornado's buffer is flushed."""
        try:
            await self._handler.write_message(frame)
        except (WebSocketClosedError, StreamClosedError) as error:
            raise ConnectionError from error

    def write_now(self, frame: str) -> None:
        """Hand over a frame without waiting."""
        try:
            written = self._handler.write_message(frame)
        except (WebSocketClosedError, StreamClosedError):
            return
        written.add_done_callback(lambda done: done.exception())

    def close(self, code: int, reason: str) -> None:
        """Send the close frame. Tornado cuts a peer that does not answer it after 5 s."""
        self._handler.close(code, reason)
