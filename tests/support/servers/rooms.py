"""An application with rooms, own frames and own checks; what tests ask over HTTP is done."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3]))

from tornado.escape import json_decode
from tornado.web import url

from handlers.http.access import Access
from handlers.http.base import BaseHandler
from handlers.websocket.handler import SocketHandler
from handlers.websocket.own_frames import frame
from run import serve
from server.core import room_frames
from server.core.rooms import (
    Published,
    RoomOptions,
    RoomRefusal,
    Target,
    ToRoom,
    ToSession,
    ToSocket,
    ToUser,
)
from server.core.session import Session
from server.realtime.socket_hooks import FrameRefused

OPEN: set[str] = set()


def target(given: dict[str, Any]) -> Target:
    """Return whom a test means."""
    match given:
        case {"room": room}:
            return ToRoom(room)
        case {"user": user}:
            return ToUser(user)
        case {"session": sid, "connection": connection}:
            return ToSocket(sid, connection)
    return ToSession(given["session"])


class DoHandler(BaseHandler):
    """`POST /do/<method>`: calls a method of `rooms`, and answers what it returned."""

    access = Access.PUBLIC

    def check_csrf_token(self) -> None:
        """Let tests ask without one."""

    async def post(self, method: str) -> None:
        """Do it."""
        given = json_decode(self.request.body)
        rooms = self.services.rooms
        done: Any
        if method == "publish":
            wait = given.get("ack_within")
            within = None if wait is None else timedelta(seconds=wait)
            data = "x" * given["size"] if "size" in given else given["data"]
            done = await rooms.publish(target(given["to"]), data, acknowledge_within=within)
        elif method == "create":
            keep_for = given.get("keep_for")
            options = RoomOptions(
                presence=given.get("presence", False),
                keep=given.get("keep", 0),
                keep_for=None if keep_for is None else timedelta(seconds=keep_for),
            )
            done = await rooms.create(given["room"], options)
        else:
            done = await getattr(rooms, method)(**given)
        self.finish_json(_told(done))


def _told(done: Any) -> dict[str, Any]:
    if isinstance(done, RoomRefusal):
        return {"refused": done.value}
    if isinstance(done, Published):
        return {"position": done.position, "acknowledged": list(done.acknowledged)}
    if isinstance(done, tuple):
        return {"people": [[each.who, each.sockets] for each in done]}
    return {}


class Game(SocketHandler):
    """Serves `/ws/game`: rooms that begin with `open` are open to everybody who asks."""

    async def may_join(self, session: Session, room: str) -> bool:
        """Let everybody into open rooms."""
        if room == "broken":
            raise RuntimeError("the check of the application is broken")
        return session.user is not None and room.startswith("open")

    @frame("move", x=int, y=float)
    async def move(self, session: Session, x: int, y: float) -> None:
        """Answer to the socket that moved."""
        assert self.socket is not None
        if x < 0:
            raise FrameRefused("off_the_board", "There is nothing left of 0.")
        if x > 100:
            raise ZeroDivisionError("the application is broken")
        self.socket.send(room_frames.published(f'["{session.user}",{x},{y}]'))


if __name__ == "__main__":
    sys.exit(serve([url(r"/ws/game", Game), url(r"/do/(\w+)", DoHandler)]))
