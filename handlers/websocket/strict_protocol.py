"""Tornado's WebSocket protocol, strict about frames and bounded in what one peer may send.

Tornado takes frames without a mask, reads fragments without end, goes on answering a peer that it
has closed, and cuts the connection without a word where a client should hear what it did: the
client takes that for a fault of the network, comes back, and sends the same again.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from tornado.util import _websocket_mask
from tornado.websocket import WebSocketHandler, WebSocketProtocol13

from handlers.websocket import frame_rules
from handlers.websocket.frame_rules import CLOSE, CONTINUATION, TEXT
from server.core.limits import AFTER_CLOSE_BYTES, AFTER_CLOSE_FRAMES, MESSAGE_SECONDS
from server.core.messages import MAX_FRAME_BYTES, CloseCode
from server.core.rate import Rate

CHUNK_BYTES: Final = 64 * 1024
LINGER_SECONDS: Final = 1.0
"""For which bytes are read where no answer to the close frame is looked for any more."""

Refuse = Callable[[CloseCode, str], None]
"""Closes the connection with a code and a word."""


class StrictProtocol(WebSocketProtocol13):
    """One connection's framing.

    Args:
        handler: of the connection.
        like: the protocol that Tornado would use, which is replaced.
        rate: of frames of any kind.
        refuse: closes the connection for what the peer sent.
        too_fast: closes the connection for how often it did.
    """

    def __init__(
        self,
        handler: WebSocketHandler,
        like: WebSocketProtocol13,
        rate: Rate,
        refuse: Refuse,
        too_fast: Callable[[], None],
    ) -> None:
        super().__init__(handler, like.mask_outgoing, like.params)
        self._rate = rate
        self._refuse = refuse
        self._too_fast = too_fast
        self._full_at = 0.0
        self._left = AFTER_CLOSE_BYTES
        self._frames_left = AFTER_CLOSE_FRAMES
        self._message: bytearray | None = None
        self._message_opcode = 0
        self._message_timer: asyncio.TimerHandle | None = None

    # Tornado has no public place for these two; socket tests notice when the names change.
    async def _receive_frame_loop(self) -> None:
        try:
            await super()._receive_frame_loop()
        finally:
            self._end_message()

    async def _receive_frame(self) -> None:
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
            await self._read_away(4 + size)
        else:
            mask = await self._read_bytes(4)
            data = _websocket_mask(mask, await self._read_bytes(size))
            await self._take(first, data)

    async def _read_size(self, short: int) -> int | None:
        """The size of a frame; None if it is said in more bytes than needed (RFC 6455 5.2)."""
        if short < frame_rules.SIZE_IN_2:
            return short
        longer = 2 if short == frame_rules.SIZE_IN_2 else 8
        size = int.from_bytes(await self._read_bytes(longer))
        return size if frame_rules.is_minimal_size(size, longer) else None

    async def _take(self, first: int, data: bytes) -> None:
        """Handle a whole frame, if it is not one too many."""
        opcode = first & 0x0F
        if opcode == CLOSE:
            self._take_close(data)
        elif self.server_terminated:
            await self._pass_over(len(data))
        elif not self._is_in_time():
            self._too_fast()
        elif opcode > CLOSE:
            await self._handle(opcode, data)
        else:
            await self._take_part(opcode, data, final=bool(first & self.FIN))

    async def _take_part(self, opcode: int, data: bytes, *, final: bool) -> None:
        """Add a data frame to its message; handle the message when that is whole."""
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

    def _take_close(self, data: bytes) -> None:
        if self.server_terminated or frame_rules.is_valid_close(data):
            self._handle_message(CLOSE, data[:2])
            return
        self._refuse(CloseCode.PROTOCOL, "bad_framing")
        self._handle_message(CLOSE, b"")

    def _is_in_time(self) -> bool:
        now = asyncio.get_running_loop().time()
        full_at = self._rate.take(self._full_at, now)
        self._full_at = full_at or self._full_at
        return full_at is not None

    async def _pass_over(self, size: int) -> None:
        """Do nothing with a frame behind our close frame; of very many, not even look at them."""
        self._count_behind_close(size)
        self._frames_left -= 1
        if self._frames_left < 0:
            await self._linger()

    def _count_behind_close(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            self._abort()

    async def _linger(self) -> None:
        """Read what comes as mere bytes: if some stay unread, a reset overtakes the close frame."""
        loop = asyncio.get_running_loop()
        timer = loop.call_later(LINGER_SECONDS, self._abort)
        try:
            await self._read_away(self._left)
        finally:
            timer.cancel()
        self._abort()

    async def _read_away(self, size: int) -> None:
        """Read so many bytes for nothing; cut a peer that sends more than may follow a close."""
        while size > 0 and not self.stream.closed():
            data = await self.stream.read_bytes(min(size, CHUNK_BYTES), partial=True)
            size -= len(data)
            self._count_behind_close(len(data))

    def _end_message(self) -> None:
        """Forget the fragments and their time."""
        self._message = None
        if self._message_timer is not None:
            self._message_timer.cancel()
            self._message_timer = None
