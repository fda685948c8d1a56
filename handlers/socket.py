"""`GET /ws`: a socket that lives no longer than its session."""

import logging
import secrets
from typing import Any

from handlers import origins
from handlers.access import Access
from handlers.base import BaseHandler
from handlers.outbox import Outbox
from handlers.problems import Problem, ProblemRaised
from server.core import messages
from server.core.errors import StoreUnavailable, WriteConflict
from server.core.messages import Activity, BadFrame, CloseCode, Message, Ping
from server.core.reasons import Farewell
from server.core.session import Session, deadlines
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

log = logging.getLogger("curfew.socket")

RETRY_MS = (500, 5_000)
"""The window in which a client that lost its socket comes back, at random."""
WRONG_SUBPROTOCOL = Problem(
    400, "wrong-subprotocol", "Unknown subprotocol", f"This server speaks {messages.SUBPROTOCOL}."
)
UNAVAILABLE = BadFrame("unavailable", "The message may not have been sent; try again.")


class SocketHandler(BaseHandler, WebSocketHandler):
    """One socket. It opens in this order: check the session, register, check again, `hello`."""

    access = Access.PUBLIC  # without a session the socket is told why, which needs the upgrade
    may_rotate = False  # after the 101 there is no answer that could carry a cookie

    async def prepare(self) -> None:
        """Let our own pages through; find out about the session."""
        self.id = secrets.token_urlsafe(9)
        self.verified = True
        self.over = False
        self.sid = ""
        self.outbox = Outbox(self._hand_over, self._too_slow)
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
        if messages.SUBPROTOCOL not in subprotocols:
            raise ProblemRaised(WRONG_SUBPROTOCOL)
        return messages.SUBPROTOCOL

    async def open(self, *_args: str, **_kwargs: str) -> None:
        """Register, check again, and only then say hello."""
        if not self.verified:
            self._close_unverified()
        elif self.live is None:
            self._dismiss(self.farewell, CloseCode.SESSION_ENDED)
        else:
            await self._join(self.live.session)

    async def _join(self, session: Session) -> None:
        self.sid = session.sid
        hub = self.services.hub
        hub.register(self, session)
        try:
            found = await self.services.sessions.look(self.sid)
        except StoreUnavailable:
            hub.unregister(self, self.sid)
            self._close_unverified()
            return
        if isinstance(found, Farewell):
            hub.end([self.sid], found)
        elif not self.over:
            until = deadlines(found, self.rules)
            self.send(messages.hello(self.id, found, until, self.now(), RETRY_MS))
            self.services.deadlines.watch(found)

    async def on_message(self, message: str | bytes) -> None:
        """Do what a client asks; nothing any more once the session's end is known."""
        if self.over:
            return
        match messages.read_frame(message):
            case Ping():
                self.send(messages.pong())
            case Activity():
                await self._touch()
            case Message(data):
                await self._send_message(data)
            case BadFrame() as bad:
                self.send(messages.error(bad))

    async def _touch(self) -> None:
        try:
            found = await self.services.sessions.touch(self.sid)
        except (StoreUnavailable, WriteConflict):
            return  # not known is not ended; the next activity tries again
        if isinstance(found, Farewell):
            self.services.hub.end([self.sid], found)

    async def _send_message(self, data: Any) -> None:
        user = self.live.session.user if self.live else None
        if user is None:
            return
        try:
            await self.services.messenger.send(user, self.id, data)
        except StoreUnavailable:
            self.send(messages.error(UNAVAILABLE))

    def on_close(self) -> None:
        """The socket is gone."""
        self.over = True
        self.outbox.close()
        self.services.hub.unregister(self, self.sid)

    def send(self, frame: str) -> None:
        """Queue a frame; never blocks, never raises."""
        if not self.over:
            self.outbox.put(frame)

    def end(self, farewell: Farewell) -> None:
        """Drop what is queued, say why, close."""
        self._dismiss(farewell, messages.close_code(farewell.reason))

    def drain(self, reconnect_in_ms: int) -> None:
        """This server stops: tell the client when to come back, and close."""
        self._close_after(messages.drain(reconnect_in_ms), CloseCode.DRAIN, "drain")

    def _dismiss(self, farewell: Farewell, code: CloseCode) -> None:
        self._close_after(messages.ended(farewell), code, farewell.word)

    def _close_unverified(self) -> None:
        self._close_after(None, CloseCode.UNVERIFIED, "unverified")

    def _too_slow(self) -> None:
        self._close_after(None, CloseCode.TOO_SLOW, "too_slow")

    def _close_after(self, last: str | None, code: CloseCode, reason: str) -> None:
        """Send the last frame past the queue, then the close frame. Tornado cuts a peer that does
        not answer it after 5 s."""
        if self.over:
            return
        self.over = True
        self.outbox.close()
        if last is not None:
            self._write_past_queue(last)
        self.close(code, reason)

    def _write_past_queue(self, frame: str) -> None:
        try:
            written = self.write_message(frame)
        except (WebSocketClosedError, StreamClosedError):
            return
        written.add_done_callback(lambda done: done.exception())

    async def _hand_over(self, frame: str) -> None:
        try:
            await self.write_message(frame)
        except (WebSocketClosedError, StreamClosedError) as error:
            raise ConnectionError from error
