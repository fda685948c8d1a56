"""One open socket, whatever carries it: it opens in order, and lives no longer than its session.

The order is: check the session (the carrier did, from the cookie), register, check again, `hello`.
Between the first check and the registration an end would go unheard; the second check hears it.
Until it has, what is sent to all of a user's sockets passes this one by.
"""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from server.core import messages
from server.core.errors import StoreUnavailable, WriteConflict
from server.core.limits import LIMITS, Limits
from server.core.messages import ActivityFrame, BadFrame, CloseCode, MessageFrame, PingFrame
from server.core.reasons import NoSession
from server.core.session import (
    Json,
    Session,
    deadlines,
    is_recently_authenticated,
    owes_second_factor,
)
from server.realtime.outbox import Outbox
from server.realtime.socket_dependencies import SocketDependencies

RETRY_MS: Final = (500, 5_000)
"""The window in which a client that lost its socket comes back, at random."""
REAUTHENTICATION_REQUIRED = BadFrame(
    "reauthentication-required", "Prove your password again, then send this again."
)
UNAVAILABLE = BadFrame("unavailable", "The message may not have been sent; try again.")

Handle = Callable[[Session, Json], Awaitable[None]]
"""Does what an application does with a message of a client; raises `StoreUnavailable`."""


class Transport(Protocol):
    """What carries the frames."""

    async def write(self, frame: str) -> None:
        """Hand over a frame; done when the carrier wants more.

        Raises:
            ConnectionError: the peer is gone.
        """

    def write_now(self, frame: str) -> None:
        """Hand over a frame without waiting; never raises."""

    def close(self, code: int, reason: str) -> None:
        """Send the close frame behind what was handed over; cut a peer that does not answer."""


class Socket:
    """Implements the hub's `Connection`.

    Args:
        id: names the socket to others; no credential.
        transport: carries the frames.
        parts: what all sockets share.
        handle: what is done with a client's message; `forward` sends it to the user's others.
        recent_only: whether messages need a recently proved password (ASVS 5.0 7.5).
        limits: how much a client may ask for.
        on_limit: told of the limit that was exceeded, in one word.
    """

    def __init__(
        self,
        id: str,  # noqa: A002 - the hub's word
        transport: Transport,
        parts: SocketDependencies,
        handle: Handle,
        *,
        recent_only: bool,
        limits: Limits = LIMITS,
        on_limit: Callable[[str], object] = lambda _: None,
    ) -> None:
        self.id = id
        self._limits = limits
        self._on_limit = on_limit
        self._messages_full_at = 0.0
        self._handle = handle
        self._recent_only = recent_only
        self._transport = transport
        self._parts = parts
        self._session: Session | None = None
        self._joined = self._over = False
        self._outbox = Outbox(transport.write, self._too_slow, lambda: parts.fence.is_open)

    async def open(self, found: Session | NoSession | None) -> None:
        """Register, check again, and only then say hello.

        Args:
            found: the first check's answer; None if the session could not be checked.
        """
        if found is None or not self._parts.fence.is_open:
            self.close_unverified()
        elif isinstance(found, NoSession):
            self._close_after(messages.ended(found), CloseCode.SESSION_ENDED, found.word)
        elif owes_second_factor(found, self._parts.rules):
            self.refuse(CloseCode.NOT_ALLOWED, "second_factor_owed")
        else:
            await self._join(found)

    async def receive(self, frame: str | bytes) -> None:
        """Do what a client asks; nothing while held, or once the session's end is known."""
        await self._parts.fence.opened()
        if not self._is_up or self._session is None:
            return
        match messages.read_frame(frame):
            case PingFrame():
                self.send(messages.pong())
            case ActivityFrame():
                await self._touch(self._session.sid)
            case MessageFrame(data):
                await self._message_if_in_time(self._session, data)
            case BadFrame() as bad:
                self.send(messages.error(bad))

    async def forward(self, session: Session, data: Json) -> None:
        """Send a message to all other sockets of the user.

        Raises:
            StoreUnavailable: it may not have been sent.
        """
        if session.user is not None:
            await self._parts.messenger.send(session.user, self.id, data)

    def closed(self, code: int | None) -> None:
        """The carrier has closed.

        Args:
            code: of the client's close frame; None when it sent none.
        """
        if not self._over:
            self._parts.counts.socket_left(code)
            self._leave()

    def _leave(self) -> None:
        self._over = True
        self._outbox.close()
        if self._session is not None:
            self._parts.hub.unregister(self, self._session.sid)

    def send(self, frame: str) -> None:
        """Queue a frame; never blocks, never raises. Before `hello` there is nobody to send to."""
        if self._is_up:
            self._outbox.put(frame)

    def end(self, no_session: NoSession) -> None:
        """Drop what is queued, say why, close."""
        code = messages.close_code(no_session.reason)
        self._close_after(messages.ended(no_session), code, no_session.word)

    def hold(self) -> None:
        """Say so, past the queue; the fence keeps everything else back."""
        if self._is_up:
            self._transport.write_now(messages.hold())

    def resume(self) -> None:
        """Say so, and send what was kept back."""
        if self._is_up:
            self._transport.write_now(messages.resume())
            self._outbox.resume()

    def close_unverified(self) -> None:
        """Close without a verdict: the client comes back and keeps its page."""
        self._close_after(None, CloseCode.UNVERIFIED, "unverified")

    def refuse(self, code: CloseCode, reason: str) -> None:
        """Close for what the client did, or must do first."""
        self._close_after(None, code, reason)

    def too_fast(self, limit: str) -> None:
        """Close: the client sent more than it may.

        Args:
            limit: what there was too much of, in one word.
        """
        if not self._over:
            self._on_limit(limit)
            self._close_after(messages.error(messages.TOO_FAST), CloseCode.POLICY, "rate")

    def no_room(self, why: str) -> None:
        """Close: it may come back later.

        Args:
            why: in one word.
        """
        self._on_limit(why)
        self._close_after(None, CloseCode.OVERLOAD, why)

    def drain(self, reconnect_in_ms: int) -> None:
        """This node stops: tell the client when to come back, and close."""
        self._close_after(messages.drain(reconnect_in_ms), CloseCode.DRAIN, "drain")

    @property
    def _is_up(self) -> bool:
        return self._joined and not self._over

    async def _join(self, session: Session) -> None:
        parts = self._parts
        if why := parts.door.refusal(session, self._limits):
            self.no_room(why)
            return
        self._session = session
        parts.hub.register(self, session)
        try:
            again = await parts.current(session.sid)
        except (StoreUnavailable, WriteConflict):
            self.close_unverified()
            return
        if isinstance(again, NoSession):
            parts.hub.end([session.sid], again)
        elif not self._over:
            until = deadlines(again, parts.rules)
            self._joined = True
            self.send(messages.hello(self.id, again, until, parts.now(), RETRY_MS))
            if warning := parts.deadlines.watch(again):
                self.send(warning)

    async def _touch(self, sid: str) -> None:
        try:
            found = await self._parts.touch(sid)
        except (StoreUnavailable, WriteConflict):
            return  # not known is not ended; the next activity tries again
        if isinstance(found, NoSession):
            self._parts.hub.end([sid], found)

    async def _message_if_in_time(self, session: Session, data: Json) -> None:
        now = self._parts.monotonic()
        full_at = self._limits.messages.take(self._messages_full_at, now)
        if full_at is None:
            self.too_fast("messages")
            return
        self._messages_full_at = full_at
        await self._message(session, data)

    async def _message(self, session: Session, data: Json) -> None:
        try:
            if self._recent_only and not await self._is_recent(session):
                self.send(messages.error(REAUTHENTICATION_REQUIRED))
            else:
                await self._handle(session, data)
        except StoreUnavailable:
            self.send(messages.error(UNAVAILABLE))

    async def _is_recent(self, session: Session) -> bool:
        """Whether the password was proved recently; since the socket opened, perhaps elsewhere."""
        parts = self._parts
        if is_recently_authenticated(session, parts.now(), parts.rules):
            return True
        found = await parts.current(session.sid)
        if isinstance(found, NoSession):
            parts.hub.end([session.sid], found)
            return False
        self._session = found
        return is_recently_authenticated(found, parts.now(), parts.rules)

    def _too_slow(self) -> None:
        self._close_after(None, CloseCode.TOO_SLOW, "too_slow")

    def _close_after(self, last: str | None, code: CloseCode, reason: str) -> None:
        """Close past the queue, behind one last frame."""
        if self._over:
            return
        self._leave()
        self._parts.counts.socket_closed(code, reason)
        if last is not None:
            self._transport.write_now(last)
        self._transport.close(code, reason)
