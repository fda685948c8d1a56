"""What an application may add to its sockets."""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from server.core.session import Json, Session

FrameHandler = Callable[[Session, dict[str, Json]], Awaitable[None]]
"""Handles a frame of a type of the application's own. It gets the frame's other fields."""


class FrameRefused(Exception):
    """A handler refuses a frame. The client gets an `error` with this code; the socket stays open.

    Attributes:
        code: one word for programs.
        detail: a sentence for people who write clients.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


class SocketHooks(Protocol):
    """What an application may add to its sockets."""

    @property
    def joins_rooms(self) -> bool:
        """Whether the socket enters by itself the rooms to which it was added.

        A client that asks for what it missed says itself which rooms it wants.
        """

    async def may_join(self, session: Session, room: str) -> bool:
        """Return whether a session may join a room by request.

        It is not asked about those whom the server has added.
        """

    def frame_handler(self, kind: str) -> FrameHandler | None:
        """Return what handles frames of a type of the application's own."""

    def frame_failed(self, error: Exception) -> None:
        """Take note of what a handler or a check raised; the client gets `internal`."""


class NoHooks:
    """Adds nothing: implements `SocketHooks`."""

    joins_rooms = True

    async def may_join(self, session: Session, room: str) -> bool:
        """Let nobody in by request."""
        del session, room
        return False

    def frame_handler(self, kind: str) -> FrameHandler | None:
        """Know no other frames."""
        del kind
        return None

    def frame_failed(self, error: Exception) -> None:
        """Do nothing."""


NO_HOOKS: Final = NoHooks()
