"""What a socket of a simulated node writes to, and what its application says of it."""

import asyncio
import json
from typing import TYPE_CHECKING

from server.core.room_frames import SharedFrame
from server.core.session import Json, Session
from server.realtime.socket import Socket
from server.realtime.socket_hooks import FrameHandler

if TYPE_CHECKING:
    from tests.simulation.world import Node, World

PUBLISHED = '{"type":"published"'
JOINED, LEFT, LOST = '{"type":"joined"', '{"type":"left"', '{"type":"lost"'
SILENT = ('{"type":"ended"', '{"type":"hold"', '{"type":"drain"')
"""Frames that serve no session."""


class Wire:
    """A transport whose peer reads everything at once."""

    def __init__(self, world: "World", node: "Node", sid: str) -> None:
        self._world = world
        self._node = node
        self.sid = sid
        self.user = node.world.user_of(sid)
        self.last: dict[str, int] = {}
        self.code: int | None = None
        self.is_in_room = False
        self.joined = ""
        self.is_excused = False
        self.socket: Socket | None = None

    async def write(self, frame: str) -> None:
        """See `Transport`."""
        self.write_now(frame)

    def begin(self, frame: SharedFrame) -> None:
        """See `Transport`."""
        self.write_now(frame)

    def write_now(self, frame: str) -> None:
        """See `Transport`."""
        if self.code is not None:
            self._world.truth.violations.append(f"a frame of {self.sid} behind its close frame")
        if frame.startswith(PUBLISHED):
            self._world.rooms.delivered(self, frame, self._world.truth.violations)
        if frame.startswith((JOINED, LEFT, LOST)):
            self.is_in_room = not frame.startswith(LEFT)
            self.joined = json.loads(frame).get("position", "").partition(".")[0]
        if not frame.startswith(SILENT):
            self._world.truth.served(self._node, self.sid, self._world.loop.now, frame[:24])

    def close(self, code: int, reason: str, last: str | None = None) -> None:
        """See `Transport`."""
        del reason
        if last is not None:
            self.write_now(last)
        self.code = code
        self.is_excused = self._world.truth.could_not_know_of(self._node, self.sid)

    @property
    def joins_rooms(self) -> bool:
        """See `SocketHooks`."""
        return self._world.has_rooms

    async def may_join(self, session: Session, room: str) -> bool:
        """See `SocketHooks`: the application's own data say who may."""
        del room
        await asyncio.sleep(self._world.chance.choice([0.0, 0.002, 0.3]))
        return self._world.rooms.may_join(session.user or "")

    def frame_handler(self, kind: str) -> FrameHandler | None:
        """See `SocketHooks`."""
        del kind
        return None

    def frame_failed(self, error: Exception) -> None:
        """See `SocketHooks`."""
        raise error

    async def forward(self, session: Session, data: Json) -> None:
        """Do what the handler does with a message."""
        assert self.socket is not None
        await self.socket.forward(session, data)
