"""What waits to be sent on one socket: bounded in bytes, and droppable at once.

Only one frame at a time is handed to the transport, so that once a session's end is known nothing
else that was queued can still go out.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

MAX_QUEUED_BYTES: Final = 1024 * 1024
"""Per socket: sixteen frames of the largest size, or a minute of a busy chat."""

Send = Callable[[str], Awaitable[None]]
"""Hands one frame to the transport; done when the transport wants more; raises when it is gone."""


class Outbox:
    """A queue of frames, and while it is not empty a task that sends them.

    Args:
        send: hands one frame to the transport.
        on_full: called once when the peer reads too slowly.
        may_send: asked before each frame; while it may not, frames wait for `resume`.
    """

    def __init__(
        self, send: Send, on_full: Callable[[], None], may_send: Callable[[], bool]
    ) -> None:
        self._send = send
        self._may_send = may_send
        self._on_full = on_full
        self._frames: deque[str] = deque()
        self._bytes = 0
        self._closed = False
        self._sending: asyncio.Task[None] | None = None

    def put(self, frame: str) -> None:
        """Queue a frame; frames are ASCII, so a character is a byte."""
        if self._closed:
            return
        if self._bytes + len(frame) > MAX_QUEUED_BYTES:
            self.close()
            self._on_full()
            return
        self._frames.append(frame)
        self._bytes += len(frame)
        self.resume()

    def resume(self) -> None:
        """Send what waits, if it may be sent now."""
        if self._sending is None and self._frames and self._may_send():
            self._sending = asyncio.create_task(self._send_all())

    def close(self) -> None:
        """Drop what waits; nothing is taken any more."""
        self._closed = True
        self._frames.clear()
        self._bytes = 0

    async def _send_all(self) -> None:
        try:
            while self._frames and self._may_send():
                frame = self._frames.popleft()
                await self._send(frame)
                self._bytes = max(0, self._bytes - len(frame))
        except OSError:
            self.close()
        finally:
            self._sending = None
