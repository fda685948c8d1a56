"""What a socket needs of the connection that carries its frames."""

from collections.abc import Awaitable
from typing import Protocol

from server.core.room_frames import SharedFrame


class Transport(Protocol):
    """Carries the frames of one socket."""

    async def write(self, frame: str) -> None:
        """Send a frame; return when the transport is ready for the next one.

        Raises:
            ConnectionError: the peer is gone.
        """

    def begin(self, frame: SharedFrame) -> Awaitable[None] | None:
        """Send a frame, and return None if it has gone out; else what to wait for.

        Raises:
            ConnectionError: the peer is gone.
        """

    def write_now(self, frame: str) -> None:
        """Send a frame without waiting. Never raises."""

    def close(self, code: int, reason: str, last: str | None = None) -> None:
        """Send a close frame after all earlier frames. Disconnect a peer that does not answer.

        Args:
            code: of the close frame.
            reason: likewise.
            last: a frame that goes right before it.
        """
