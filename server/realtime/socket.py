"""One open socket, on any transport. It opens in a fixed order and does not outlive its session.

The order is: check the session (the handler did, from the cookie), register, check again, `hello`.
An end between the first check and the registration would be missed; the second check finds it.
Before the second check, what is sent to all of a user's sockets is not sent to this one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from server.core import messages
from server.core.errors import StoreUnavailable, WriteConflict
from server.core.limits import HANDLER_SECONDS, LIMITS, RETRY_MS, Limits
from server.core.messages import ActivityFrame, BadFrame, CloseCode, MessageFrame, PingFrame
from server.core.reasons import NoSession
from server.core.room_frames import SharedFrame, read_room_frame
from server.core.rooms import NOBODY, Member
from server.core.session import (
    Json,
    Session,
    deadlines,
    is_recently_authenticated,
    owes_second_factor,
)
from server.realtime.outbox import Outbox
from server.realtime.socket_dependencies import SocketDependencies
from server.realtime.socket_hooks import NO_HOOKS, FrameRefused, SocketHooks
from server.realtime.transport import Transport
from server.store.contained import contained

Act = Callable[[], Awaitable[object]]
Handle = Callable[[Session, Json], Awaitable[None]]
"""Does with a client's message what the application wants; may raise `StoreUnavailable`."""


class Socket:
    """Implements the hub's `Connection`.

    Args:
        id: the public name of the socket; no credential.
        transport: carries the frames.
        dependencies: what all sockets of this node share.
        handle: handles a client's message; `forward` sends it to the user's other sockets.
        recent_only: whether messages need a recently proved password (ASVS 5.0 7.5).
        limits: how much a client may send, and how many sockets it may open.
        on_limit: called with the limit that was exceeded, in one word.
        hooks: what else an application adds.
    """

    def __init__(
        self,
        id: str,  # noqa: A002 - the hub's word
        transport: Transport,
        dependencies: SocketDependencies,
        handle: Handle,
        *,
        recent_only: bool,
        limits: Limits = LIMITS,
        on_limit: Callable[[str], object] = lambda _: None,
        hooks: SocketHooks = NO_HOOKS,
    ) -> None:
        self.id = id
        self._hooks = hooks
        self._limits = limits
        self._on_limit = on_limit
        self._messages_full_at = 0.0
        self._handle = handle
        self._recent_only = recent_only
        self._transport = transport
        self._dependencies = dependencies
        self._session: Session | None = None
        self._joined = self._over = False
        may_send = lambda: dependencies.may_serve(self._session)  # noqa: E731
        too_slow = partial(self._close, None, CloseCode.TOO_SLOW, "too_slow")
        self._outbox = Outbox(transport, too_slow, may_send)

    async def open(self, found: Session | NoSession | None) -> None:
        """Register the socket, check the session again, and only then send `hello`.

        Args:
            found: the result of the first check; None if the session could not be checked.
        """
        if found is None or not self._dependencies.may_serve(found):
            self.close_unverified()
        elif isinstance(found, NoSession):
            self._close(messages.ended(found), CloseCode.SESSION_ENDED, found.word)
        elif owes_second_factor(found, self._dependencies.sessions.rules):
            self.refuse(CloseCode.NOT_ALLOWED, "second_factor_owed")
        else:
            await self._join(found)

    async def receive(self, frame: str | bytes) -> None:
        """Handle a client's frame; not while held, and not after the session has ended."""
        if self._session is not None:
            await self._dependencies.fence.of(self._session.sid).opened()
        if not self.is_up or self._session is None:
            return
        match messages.read_frame(frame):
            case PingFrame():
                self.send(messages.pong())
            case ActivityFrame():
                await self._touch(self._session.sid)
            case MessageFrame(data):
                await self._message(self._session, partial(self._handle, self._session, data))
            case messages.UnknownFrame() as other:
                await self._receive_other(self._session, other)
            case BadFrame() as bad:
                self.send(messages.error(bad))

    async def forward(self, session: Session, data: Json) -> None:
        """Send a message to all other sockets of the user.

        Raises:
            StoreUnavailable: it is not known whether the message was sent.
        """
        if session.user is not None:
            await self._dependencies.messenger.send(session.user, self.id, data)

    def transport_closed(self, code: int | None) -> None:
        """Forget a socket that its client closed.

        Args:
            code: the code of the client's close frame; None if it sent none.
        """
        if not self._over:
            self._dependencies.context.counts.socket_left(code)
            self._leave()

    def send(self, frame: str) -> None:
        """Queue a frame. Never blocks and never raises. Frames before `hello` are dropped."""
        if self.is_up:
            self._outbox.put(frame)

    def send_shared(self, frame: SharedFrame) -> None:
        """Send a frame that other sockets get too, at once if nothing waits before it."""
        if self.is_up:
            self._outbox.put_now(frame)

    def drop_topic(self, topic: str) -> None:
        """Drop what is queued of a room."""
        self._outbox.drop(topic)

    @property
    def member(self) -> Member:
        """The session that the socket belongs to; nobody's before it is open."""
        return Member(self._session.user or "", self._session.sid) if self._session else NOBODY

    def close_ended(self, no_session: NoSession) -> None:
        """Drop what is queued, send the reason, close."""
        code = messages.close_code(no_session.reason)
        self._close(messages.ended(no_session), code, no_session.word)

    def hold(self) -> None:
        """Send `hold` before everything that is queued. The fence stops everything else."""
        if self.is_up:
            self._transport.write_now(messages.hold())

    def resume(self) -> None:
        """Send `resume`, and then what was queued meanwhile."""
        if self.is_up:
            self._transport.write_now(messages.resume())
            self._outbox.resume()

    def close_unverified(self) -> None:
        """Close without a reason: the client comes back and keeps its page."""
        self._close(None, CloseCode.UNVERIFIED, "unverified")

    def refuse(self, code: CloseCode, reason: str) -> None:
        """Close because of what the client did, or must do first."""
        self._close(None, code, reason)

    def close_too_fast(self, limit: str) -> None:
        """Close because the client sent more than it may.

        Args:
            limit: the limit that was exceeded, in one word.
        """
        if not self._over:
            self._on_limit(limit)
            self._close(messages.error(messages.TOO_FAST), CloseCode.POLICY, "rate")

    def close_overloaded(self, why: str) -> None:
        """Close because there are too many sockets. The client may come back later.

        Args:
            why: the limit that was exceeded, in one word.
        """
        self._on_limit(why)
        self._close(None, CloseCode.OVERLOAD, why)

    def drain(self, reconnect_in_ms: int) -> None:
        """Send the time after which to come back, and close: this node stops."""
        self._close(messages.drain(reconnect_in_ms), CloseCode.DRAIN, "drain")

    @property
    def is_up(self) -> bool:
        """Whether it is open for frames: after `hello`, and until its session ends."""
        return self._joined and not self._over

    async def _join(self, session: Session) -> None:
        if why := self._dependencies.admission.refusal(session, self._limits):
            self.close_overloaded(why)
            return
        self._session = session
        self._dependencies.hub.register(self, session)
        try:
            again = await self._dependencies.sessions.current(session.sid)
        except (StoreUnavailable, WriteConflict):
            self.close_unverified()
            return
        if isinstance(again, NoSession):
            self._dependencies.hub.close_sessions([session.sid], again)
        elif not self._over:
            self._joined = True
            self._welcome(again)

    def _welcome(self, session: Session) -> None:
        until = deadlines(session, self._dependencies.sessions.rules)
        now = self._dependencies.context.now()
        self.send(messages.hello(self.id, session, until, now, RETRY_MS))
        if warning := self._dependencies.deadlines.watch(session):
            self.send(warning)
        if self._hooks.joins_rooms:
            self._dependencies.rooms.entrance.arrive(self)

    async def _touch(self, sid: str) -> None:
        try:
            found = await self._dependencies.sessions.touch(sid)
        except (StoreUnavailable, WriteConflict):
            return  # nothing is known of the session; the next activity tries again
        if isinstance(found, NoSession):
            self._dependencies.hub.close_sessions([sid], found)

    async def _receive_other(self, session: Session, frame: messages.UnknownFrame) -> None:
        """Handle a frame of rooms, or one of the application's own."""
        read = read_room_frame(frame.kind, frame.fields)
        if isinstance(read, BadFrame):
            self.send(messages.error(read))
        elif read is not None:
            may_join = partial(self._hooks.may_join, session)
            await self._guarded(partial(self._dependencies.rooms.receive, self, read, may_join))
        elif handle := self._hooks.frame_handler(frame.kind):
            await self._message(session, partial(handle, session, frame.fields))
        else:
            self.send(messages.error(frame))

    async def _message(self, session: Session, act: Act) -> None:
        now = self._dependencies.context.monotonic()
        full_at = self._limits.messages.take(self._messages_full_at, now)
        if full_at is None:
            self.close_too_fast("messages")
            return
        self._messages_full_at = full_at
        await self._guarded(act, session if self._recent_only else None)

    async def _guarded(self, act: Act, recent: Session | None = None) -> None:
        """Do what a frame asks for; whatever fails, the client gets an `error`."""
        try:
            async with asyncio.timeout(HANDLER_SECONDS):
                if recent and not await self._is_recent(recent):
                    self.send(messages.error(messages.REAUTHENTICATION_REQUIRED))
                else:
                    with contained():
                        await act()
        except StoreUnavailable:
            self.send(messages.error(messages.UNAVAILABLE))
        except FrameRefused as refused:
            self.send(messages.error(BadFrame(refused.code, refused.detail)))
        except Exception as error:  # noqa: BLE001 - an application may do anything
            self._hooks.frame_failed(error)
            self.send(messages.error(messages.INTERNAL))

    async def _is_recent(self, session: Session) -> bool:
        """Return whether the password was proved recently, perhaps since the socket opened."""
        sessions, now = self._dependencies.sessions, self._dependencies.context.now
        if is_recently_authenticated(session, now(), sessions.rules):
            return True
        found = await sessions.current(session.sid)
        if isinstance(found, NoSession):
            self._dependencies.hub.close_sessions([session.sid], found)
            return False
        self._session = found
        return is_recently_authenticated(found, now(), sessions.rules)

    def _close(self, last: str | None, code: CloseCode, reason: str) -> None:
        """Close without sending what is queued; only a last frame, if there is one."""
        if self._over:
            return
        self._leave()
        self._dependencies.context.counts.socket_closed(code, reason)
        self._transport.close(code, reason, last)

    def _leave(self) -> None:
        self._over = True
        self._outbox.close()
        self._dependencies.rooms.closed(self)
        if self._session is not None:
            self._dependencies.hub.unregister(self, self._session.sid)
