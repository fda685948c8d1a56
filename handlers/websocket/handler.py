"""`GET /ws`: connects a `Socket` of the engine to Tornado's WebSockets."""

import secrets
from collections.abc import Awaitable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar, Final

from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler, WebSocketProtocol13

from handlers.http import guards
from handlers.http.access import Access
from handlers.http.base import BaseHandler
from handlers.http.failures import log_failure
from handlers.http.problems import Problem, ProblemRaised, bad_request
from handlers.websocket import frame_rules
from handlers.websocket.own_frames import bound_frame, own_frames_of
from handlers.websocket.strict_protocol import StrictProtocol
from server.core.audit import AuditEvent
from server.core.errors import StoreUnavailable, WriteConflict
from server.core.limits import LIMITS, Limits
from server.core.messages import MAX_FRAME_BYTES, SUBPROTOCOL, CloseCode
from server.core.room_frames import SharedFrame
from server.core.rooms import Member
from server.core.session import Json, Session
from server.realtime.socket import Socket
from server.realtime.socket_hooks import FrameHandler

READ_AT_MOST: Final = 4 * MAX_FRAME_BYTES
"""Bytes. A frame over the protocol's limit is read to its end up to this size, so that our close
frame arrives. Tornado leaves the rest of a longer frame unread, and the reset that follows may
overtake the close frame."""
UPGRADE_REQUIRED = Problem(
    426,
    "upgrade-required",
    "This address speaks WebSocket",
    f"Open it as a WebSocket with the subprotocol {SUBPROTOCOL}.",
    headers={"Upgrade": "websocket", "Sec-WebSocket-Version": "13"},
)
NO_KEY = bad_request("A handshake needs one `Sec-WebSocket-Key`: 16 bytes in base64.")
OLD_HTTP = bad_request("A handshake needs HTTP/1.1.")
WRONG_SUBPROTOCOL = Problem(
    400, "wrong-subprotocol", "Unknown subprotocol", f"This server speaks {SUBPROTOCOL}."
)


ASKED: Final = "asked"
"""The `rooms` of the address of a client that itself asks for all its rooms, with `join`."""


class SocketHandler(BaseHandler, WebSocketHandler):
    """One socket. `server.realtime.socket` says how it lives.

    Attributes:
        limits: how much a client may send. An application may set its own.
        recent_only: whether messages need a recent authentication. An application may set it.
        verified: whether the cookie could be checked; if not, the client shall come back.
        gone: whether the connection is closed.
        socket: None until it opens.
    """

    access = Access.PUBLIC  # a client without a session learns why by a close frame, after the 101
    may_rotate = False  # after the 101 there is no answer that could carry a cookie
    is_activity = False  # clients reconnect by themselves; a frame `activity` says what people do
    limits: ClassVar[Limits] = LIMITS
    recent_only: ClassVar[bool] = False
    verified = True
    gone = False
    _opens = False
    socket: Socket | None = None
    _own_frames: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls) -> None:
        """Find the handlers of the application's own frames, which `frame` marks."""
        super().__init_subclass__()
        cls._own_frames = own_frames_of(cls)

    async def prepare(self) -> None:
        """Refuse handshakes that are malformed or from other sites, and load the session."""
        self.check_host_and_origin()
        self.raise_if(self._flaw_of_handshake())
        guards.require_socket_origin(self)
        self.raise_if(self.application.handshakes.enter())
        self._opens = True
        try:
            await self.load_session()
        except (StoreUnavailable, WriteConflict):
            self.verified = False
        else:
            self.verified = not self.overtaken  # the browser will get a newer token soon

    def check_origin(self, origin: str) -> bool:  # noqa: ARG002 - `prepare` has compared it exactly
        """Return True: Tornado's comparison with the client's own Host header adds nothing."""
        return True

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Return our subprotocol, or None if the client offers none.

        Raises:
            ProblemRaised: it offers only others.
        """
        if not subprotocols:
            return None
        if SUBPROTOCOL not in subprotocols:
            raise ProblemRaised(WRONG_SUBPROTOCOL)
        return SUBPROTOCOL

    @property
    def max_message_size(self) -> int:
        """How many bytes Tornado reads of a message; see `READ_AT_MOST`."""
        return READ_AT_MOST

    def get_websocket_protocol(self) -> WebSocketProtocol13 | None:
        """Return Tornado's protocol, but strict; None for another version than 13."""
        protocol = super().get_websocket_protocol()
        if not isinstance(protocol, WebSocketProtocol13):
            return None
        too_fast = partial(self._too_fast, "frames")
        pings, closings = self.application.pings, self.application.closing_handshakes
        frames = self.limits.frames
        return StrictProtocol(self, protocol, pings, closings, frames, self._refuse, too_fast)

    async def open(self, *_args: str, **_kwargs: str) -> None:
        """Open the socket for the session of the cookie, or close it and say why."""
        try:
            await self._open_socket()
        finally:
            self._leave_handshakes()

    async def _open_socket(self) -> None:
        if self.gone:  # closed while the cookie was checked; Tornado opens it all the same
            return
        self.application.connection_limits.enter(self.request.remote_ip or "")
        found = self.live.session if self.live else self.no_session
        self.socket = Socket(
            secrets.token_urlsafe(9),
            TornadoTransport(self),
            self.services.engine.socket_dependencies,
            self.on_data,
            recent_only=self.recent_only,
            limits=self.limits,
            on_limit=self._audit_limit,
            hooks=self,
        )
        if not self.application.connection_limits.has_room_for_a_socket:
            self.socket.close_overloaded("overload")
            return
        await self.socket.open(found if self.verified else None)

    async def on_message(self, message: str | bytes) -> None:
        """Handle a message. Tornado reads the next frame when this returns."""
        if len(message if isinstance(message, bytes) else message.encode()) > MAX_FRAME_BYTES:
            self._refuse(CloseCode.TOO_BIG, "too_big")
        elif self.socket is not None:
            async with self._turn_of(self.socket.member):
                await self.socket.receive(message)

    async def on_data(self, session: Session, data: Json) -> None:
        """Handle the data of a `message` frame: send it to the user's other sockets.

        An application may do something else.

        Raises:
            StoreUnavailable: the client then learns that this may not have been done.
        """
        if self.socket is not None:
            await self.socket.forward(session, data)

    async def may_join(self, session: Session, room: str) -> bool:  # noqa: ARG002 - an application's
        """Return whether a session may join a room by request; an application decides.

        It is not asked about those whom the server has added to the room. An application that
        takes a right away does so in its own data first, and then with `rooms.remove`.
        """
        return False

    @property
    def joins_rooms(self) -> bool:
        """Whether the socket enters by itself the rooms to which it was added."""
        return self.get_query_argument("rooms", "") != ASKED

    def frame_handler(self, kind: str) -> FrameHandler | None:
        """Return what handles frames of a type of the application's own."""
        name = self._own_frames.get(kind)
        return bound_frame(getattr(self, name)) if name else None

    def frame_failed(self, error: Exception) -> None:
        """Log what a handler of the application raised, with the id of the handshake."""
        self.request_name.name_lines()
        log_failure(error, self.request.path)

    def on_close(self) -> None:
        """Note that the connection is closed, perhaps before the socket was open."""
        self.gone = True
        self._leave_handshakes()
        if self.socket is not None:
            self.application.connection_limits.leave(self.request.remote_ip or "")
            self.socket.transport_closed(self.close_code)

    def on_finish(self) -> None:
        """Let a stopping process go. What was not upgraded will not open."""
        super().on_finish()
        if self.get_status() != HTTPStatus.SWITCHING_PROTOCOLS:
            self._leave_handshakes()

    def _turn_of(self, sender: Member) -> AbstractAsyncContextManager[None]:
        """Return the turn in which a message of this user, or this visitor, is handled."""
        stream: Any = getattr(self.ws_connection, "stream", None)
        turns = getattr(stream, "message_turns", None)  # not on a stream of Tornado's own
        return turns.turn(sender.user or sender.sid) if turns is not None else nullcontext()

    def _leave_handshakes(self) -> None:
        if self._opens:
            self._opens = False
            self.application.handshakes.leave()

    def _audit_limit(self, limit: str) -> None:
        self.audit(AuditEvent.RATE_EXCEEDED, limit=limit)

    def _too_fast(self, limit: str) -> None:
        if self.socket is not None:
            self.socket.close_too_fast(limit)

    def _flaw_of_handshake(self) -> Problem | None:
        """Return what is wrong with the handshake, if anything (RFC 6455 4.2.1).

        Tornado would refuse some of it too, but with a text that is no problem document.
        """
        headers, keys = self.request.headers, self.request.headers.get_list("Sec-WebSocket-Key")
        tokens = {each.strip().lower() for each in headers.get("Connection", "").split(",")}
        asks = headers.get("Upgrade", "").lower() == "websocket" and "upgrade" in tokens
        if not asks or headers.get("Sec-WebSocket-Version") != "13":
            return UPGRADE_REQUIRED
        if self.request.version == "HTTP/1.0":
            return OLD_HTTP
        return None if len(keys) == 1 and frame_rules.is_key(keys[0]) else NO_KEY

    def _refuse(self, code: CloseCode, reason: str) -> None:
        if self.socket is None:
            self.close(code, reason)
        else:
            self.socket.refuse(code, reason)


class TornadoTransport:
    """Implements the socket's `Transport` on a Tornado handler."""

    def __init__(self, handler: WebSocketHandler) -> None:
        self._handler = handler

    async def write(self, frame: str) -> None:
        """Send a frame, and wait until Tornado's buffer is flushed."""
        try:
            await self._handler.write_message(frame)
        except (WebSocketClosedError, StreamClosedError) as error:
            raise ConnectionError from error

    def begin(self, frame: SharedFrame) -> Awaitable[None] | None:
        """Send a frame; the bytes are made once for all sockets that get it."""
        protocol = self._handler.ws_connection
        if not isinstance(protocol, StrictProtocol):
            raise ConnectionError
        return protocol.begin(frame)

    def write_now(self, frame: str) -> None:
        """Send a frame without waiting."""
        if isinstance(protocol := self._handler.ws_connection, StrictProtocol):
            protocol.write_text(frame)

    def close(self, code: int, reason: str, last: str | None = None) -> None:
        """Send the close frame. A peer that does not answer it is disconnected after 5 s."""
        if last and isinstance(protocol := self._handler.ws_connection, StrictProtocol):
            protocol.close_with(last, code, reason)
            self._handler.ws_connection = None  # as with `close`
        else:
            self._handler.close(code, reason)
