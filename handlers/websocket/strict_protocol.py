"""Tornado's WebSocket protocol, strict about frames and bounded in what one peer may send.

Tornado accepts frames without a mask, reads fragments without end, and goes on answering a peer
after the close frame. And it cuts the connection silently where a client should learn what it did
wrong: such a client assumes a network fault, reconnects, and sends the same again.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from tornado.iostream import StreamClosedError
from tornado.util import _websocket_mask
from tornado.websocket import WebSocketClosedError, WebSocketHandler, WebSocketProtocol13

from handlers.http.closing_handshakes import ClosingHandshakes, ClosingSocket
from handlers.http.pings import Pings
from handlers.websocket import frame_rules
from handlers.websocket.frame_rules import CLOSE, CONTINUATION, TEXT, frame_of_server, last_frames
from server.core.limits import AFTER_CLOSE_BYTES, AFTER_CLOSE_FRAMES, MESSAGE_SECONDS
from server.core.messages import MAX_FRAME_BYTES, CloseCode
from server.core.rate import Rate
from server.core.room_frames import SharedFrame

FRAMES_AT_ONCE: Final = 10
"""Of one peer, before others have their turn. A whole message is the last: it costs much more."""
CHUNK_BYTES: Final = 64 * 1024
LINGER_SECONDS: Final = 1.0
"""How long to read bytes after our close frame when no answer to it is expected any more."""

Refuse = Callable[[CloseCode, str], None]
"""Closes the connection with a close code and a reason."""


class StrictProtocol(WebSocketProtocol13):
    """The framing of one connection.

    Args:
        handler: of the connection.
        replaced: the protocol that Tornado would use.
        pings: pings the peers of all sockets.
        closings: waits for the answers of all peers to close frames.
        rate: how many frames of any kind the peer may send.
        refuse: closes the connection because of what the peer sent.
        too_fast: closes the connection because the peer sent too often.
    """

    stream: Any
    # Besides Tornado's attributes: with more than 30, each object would have a dictionary alone.
    __slots__ = (
        "_awaits_pong", "_bytes_left", "_closings", "_frames_left", "_full_at", "_message",
        "_message_opcode", "_message_timer", "_pings", "_rate", "_reading", "_refuse", "_too_fast",
    )  # fmt: skip

    def __init__(
        self,
        handler: WebSocketHandler,
        replaced: WebSocketProtocol13,
        pings: Pings,
        closings: ClosingHandshakes,
        rate: Rate,
        refuse: Refuse,
        too_fast: Callable[[], None],
    ) -> None:
        super().__init__(handler, replaced.mask_outgoing, replaced.params)
        self._pings = pings
        self._closings = closings
        self._rate = rate
        self._refuse = refuse
        self._too_fast = too_fast
        self._full_at = 0.0
        self._bytes_left = AFTER_CLOSE_BYTES
        self._frames_left = AFTER_CLOSE_FRAMES
        self._message: bytearray | None = None
        self._message_opcode = 0
        self._message_timer: asyncio.TimerHandle | None = None
        self._awaits_pong = False
        self._reading: asyncio.Task[None] | None = None

    def start_pinging(self) -> None:
        """Ping the peer together with those of other sockets."""
        if self.ping_interval == self._pings.interval:
            self._pings.add(self)
        else:  # an application has set another one
            super().start_pinging()

    def ping(self) -> None:
        """Ping the peer, or close if it has not answered the last ping."""
        if self._awaits_pong and not self._received_pong:
            self.close(reason="ping timed out")
            return
        self._awaits_pong, self._received_pong = True, False
        with suppress(WebSocketClosedError):
            self.write_ping(b"")

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Send a close frame, or disconnect if the peer has sent one."""
        self._pings.discard(self)
        if self._waiting is None and not self.client_terminated:
            self._waiting = self._closings.wait_for(self)  # else Tornado sets a timer for each
        super().close(code, reason)

    def close_with(self, last: str, code: int, reason: str) -> None:
        """Send a last message and the close frame in one piece, and read the answer later."""
        if not self.is_closing():
            with suppress(StreamClosedError):
                self.stream.write(last_frames(last, code, reason))
                self.server_terminated = True
        self.close(code, reason)
        if isinstance(self._waiting, ClosingSocket) and hasattr(self.stream, "rest"):
            self.stream.rest()
            self._closings.read_later(self._waiting)

    def read_on(self) -> None:
        """Read the answer to our close frame."""
        self.stream.read_on()

    def give_up(self) -> None:
        """Disconnect a peer that has not answered our close frame."""
        self._abort()

    def write_text(self, text: str) -> None:
        """Send a message without waiting. Tornado's `write_message` would begin a task for it."""
        if not self.is_closing():
            with suppress(StreamClosedError):
                self.stream.write(frame_of_server(TEXT, text.encode()))

    def begin(self, frame: SharedFrame) -> Awaitable[None] | None:
        """Send a message; return None if it has gone out, else what to wait for (`Transport`)."""
        if self.is_closing():
            raise ConnectionError
        frame.wire = frame.wire or frame_of_server(TEXT, frame.encode())
        try:
            written = self.stream.write(frame.wire)
        except StreamClosedError as error:
            raise ConnectionError from error
        return written if self.stream.writing() else None

    # Tornado has no public hooks for these. The socket tests fail if it renames them.
    async def _receive_frame_loop(self) -> None:
        """Receive frames. An idle socket has no task: the next bytes begin a new one."""
        if hasattr(self.stream, "notify"):
            self.stream.notify(self._begin_reading)
            return
        try:
            await super()._receive_frame_loop()  # on a stream of Tornado's own
        finally:
            self._end_message()

    def _begin_reading(self) -> None:
        self._reading = asyncio.create_task(self._read_frames())

    async def _read_frames(self) -> None:
        """Handle what has come. Behind the last frame, tell the handler that the socket closed."""
        try:
            await self._receive_waiting()
        except StreamClosedError:
            self._abort()
        except Exception:  # noqa: BLE001 - an application may do anything
            self.handler.log_exception(*sys.exc_info())
            self._abort()
        self._reading = None
        if self.client_terminated:
            self._end_message()
            self.handler.on_ws_connection_close(self.close_code, self.close_reason)
        else:
            self.stream.notify(self._begin_reading)

    async def _receive_waiting(self) -> None:
        """Receive frames for as long as something has come, or the peer is gone."""
        frames = 0
        while not self.client_terminated and (self.stream.has_bytes or self.stream.closed()):
            frames += 1
            if (await self._receive_one() or frames == FRAMES_AT_ONCE) and self.stream.has_bytes:
                frames = 0
                await self.stream.turn()

    async def _receive_frame(self) -> None:
        await self._receive_one()

    async def _receive_one(self) -> bool:
        """Receive a frame; return whether it was the end of a message."""
        first, second = await self._read_bytes(2)
        in_message = self._message is not None
        size = None
        if frame_rules.is_valid_start(first, second, in_message=in_message):
            size = await self._read_size(second & 0x7F)
        if size is None:
            self._refuse(CloseCode.PROTOCOL, "bad_framing")
            await self._linger()
        elif size > self.params.max_message_size:
            self._refuse(CloseCode.TOO_BIG, "too_big")
            await self._discard(4 + size)
        else:
            mask = await self._read_bytes(4)
            data = _websocket_mask(mask, await self._read_bytes(size))
            return await self._handle_frame(first, data)
        return False

    async def _read_size(self, short: int) -> int | None:
        """Return the size of a frame; None if it uses more bytes than needed (RFC 6455 5.2)."""
        if short < frame_rules.SIZE_IN_2:
            return short
        longer = 2 if short == frame_rules.SIZE_IN_2 else 8
        size = int.from_bytes(await self._read_bytes(longer))
        return size if frame_rules.is_minimal_size(size, longer) else None

    async def _handle_frame(self, first: int, data: bytes) -> bool:
        """Handle a whole frame, unless the peer sends too fast; return whether a message ended."""
        opcode = first & 0x0F
        if opcode == CLOSE:
            self._receive_close(data)
        elif self.server_terminated:
            await self._ignore(len(data))
        elif not self._is_within_rate():
            self._too_fast()
        elif opcode > CLOSE:
            await self._handle(opcode, data)
        else:
            await self._add_fragment(opcode, data, final=bool(first & self.FIN))
            return bool(first & self.FIN)
        return False

    async def _add_fragment(self, opcode: int, data: bytes, *, final: bool) -> None:
        """Add a data frame to its message, and handle the message once it is whole."""
        if opcode != CONTINUATION or self._message is None:
            self._message, self._message_opcode = bytearray(), opcode
        self._message += data
        if final:
            whole, opcode = bytes(self._message), self._message_opcode
            self._end_message()
            await self._handle(opcode, whole)
        elif len(self._message) > MAX_FRAME_BYTES:
            self._refuse(CloseCode.TOO_BIG, "too_big")
        elif self._message_timer is None:
            self._message_timer = asyncio.get_running_loop().call_later(
                MESSAGE_SECONDS, self._refuse, CloseCode.POLICY, "unfinished"
            )

    async def _handle(self, opcode: int, data: bytes) -> None:
        if opcode == TEXT and not frame_rules.is_utf8(data):
            self._refuse(CloseCode.POLICY, "not_utf8")
            return
        handled = self._handle_message(opcode, data)
        if handled is not None:
            await handled

    def _receive_close(self, data: bytes) -> None:
        if self.server_terminated or frame_rules.is_valid_close(data):
            self._handle_message(CLOSE, data[:2])
            return
        self._refuse(CloseCode.PROTOCOL, "bad_framing")
        self._handle_message(CLOSE, b"")

    def _is_within_rate(self) -> bool:
        now = asyncio.get_running_loop().time()
        full_at = self._rate.take(self._full_at, now)
        self._full_at = full_at or self._full_at
        return full_at is not None

    async def _ignore(self, size: int) -> None:
        """Ignore a frame after our close frame. After very many, stop parsing frames."""
        self._count_after_close(size)
        self._frames_left -= 1
        if self._frames_left < 0:
            await self._linger()

    def _count_after_close(self, size: int) -> None:
        self._bytes_left -= size
        if self._bytes_left < 0:
            self._abort()

    async def _linger(self) -> None:
        """Read bytes for a while: unread bytes cause a reset, which overtakes the close frame."""
        loop = asyncio.get_running_loop()
        timer = loop.call_later(LINGER_SECONDS, self._abort)
        try:
            await self._discard(self._bytes_left)
        finally:
            timer.cancel()
        self._abort()

    async def _discard(self, size: int) -> None:
        """Read and discard bytes; disconnect a peer that sends too much after a close frame."""
        while size > 0 and not self.stream.closed():
            data = await self.stream.read_bytes(min(size, CHUNK_BYTES), partial=True)
            size -= len(data)
            self._count_after_close(len(data))

    def _end_message(self) -> None:
        """Drop the fragments, and stop their timer."""
        self._message = None
        if self._message_timer is not None:
            self._message_timer.cancel()
            self._message_timer = None
