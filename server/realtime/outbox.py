"""The frames that wait to be sent on one socket: limited in bytes, and dropped at once on close.

Only one frame at a time is handed to the transport. So, once a session is known to have ended,
nothing else that was queued can still be sent.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from server.core.room_frames import SharedFrame
from server.realtime.transport import Transport

MAX_QUEUED_BYTES: Final = 1024 * 1024
"""Per socket: sixteen frames of the largest size, or a minute of a busy chat."""


class Outbox:
    """A queue of frames, and a task that sends them while there are any.

    Args:
        transport: carries the frames.
        on_full: called once, when the peer reads too slowly.
        may_send: called before each frame; while it returns False, frames wait for `resume`.
    """

    def __init__(
        self, transport: Transport, on_full: Callable[[], None], may_send: Callable[[], bool]
    ) -> None:
        self._transport = transport
        self._on_full = on_full
        self._may_send = may_send
        self._frames: deque[str] | None = None
        """None while nothing waits: an empty one would take 600 bytes of each idle socket."""
        self._bytes = 0
        self._closed = False
        self._sending: asyncio.Task[None] | None = None

    def put(self, frame: str) -> None:
        """Queue a frame. Frames are ASCII, so a character is a byte."""
        if self._closed:
            return
        if self._bytes + len(frame) > MAX_QUEUED_BYTES:
            self.close()
            self._on_full()
            return
        if self._frames is None:
            self._frames = deque()
        self._frames.append(frame)
        self._bytes += len(frame)
        self.resume()

    def put_now(self, frame: SharedFrame) -> None:
        """Send a frame at once if nothing waits and the transport is ready; else queue it.

        It needs no task. So a message to a thousand sockets costs little more than the writing.
        """
        if self._frames or self._sending or self._closed or not self._may_send():
            self.put(frame)
            return
        try:
            flushed = self._transport.begin(frame)
        except OSError:
            self.close()
            return
        if flushed is not None:
            self._bytes += len(frame)
            self._sending = asyncio.create_task(self._send_after(flushed, len(frame)))

    def drop(self, topic: str) -> None:
        """Drop the waiting frames of a topic."""
        if not self._frames:
            return
        kept = [each for each in self._frames if getattr(each, "topic", None) != topic]
        self._bytes -= sum(map(len, self._frames)) - sum(map(len, kept))
        self._frames = deque(kept)

    def resume(self) -> None:
        """Send the waiting frames, if they may be sent now."""
        if self._sending is None and self._frames and self._may_send():
            self._sending = asyncio.create_task(self._send_all())

    def close(self) -> None:
        """Drop the waiting frames, and accept no more."""
        self._closed = True
        self._frames = None
        self._bytes = 0

    async def _send_after(self, flushed: Awaitable[None], size: int) -> None:
        """Send what waits, once the frame before it has gone out."""
        try:
            await flushed
        except OSError:
            self.close()
        self._bytes = max(0, self._bytes - size)
        await self._send_all()

    async def _send_all(self) -> None:
        try:
            while self._frames and self._may_send():
                frame = self._frames.popleft()
                await self._transport.write(frame)
                self._bytes = max(0, self._bytes - len(frame))
        except OSError:
            self.close()
        finally:
            self._sending = None
            self._frames = self._frames or None
