"""What a socket needs of the connection that carries its frames."""

from typing import Protocol


class Transport(Protocol):
    """Carries the frames of one socket."""

    async def write(self, frame: str) -> None:
        """Send a frame; return when the transport is ready for the next one.

        Raises:
            ConnectionError: the peer is gone.
        """

    def write_now(self, frame: str) -> None:
        """Send a frame without waiting. Never raises."""

    def close(self, code: int, reason: str) -> None:
        """Send a close frame after all earlier frames. Disconnect a peer that does not answer."""
