"""Curfew with one room that every open session is in, and a handler that publishes in it."""

import asyncio
import logging
import sys
from typing import Final

from tornado.web import url

from handlers.http.access import Access
from handlers.http.base import BaseHandler
from run import serve
from server.core.rooms import RoomRefusal, ToRoom

ROOM: Final = "hall"
TEXT: Final = "x" * 100

logging.getLogger("curfew.access").setLevel(logging.WARNING)


class Admit(BaseHandler):
    """`POST /admit`: adds all sessions with sockets here to the room."""

    access = Access.PUBLIC

    async def post(self) -> None:
        """Do it."""
        rooms = self.services.rooms
        await rooms.create(ROOM)
        for sockets in self.services.engine.hub.sessions():
            await rooms.add(ROOM, session=sockets.sid)
        while await self._count() < self.services.engine.hub.socket_count:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        self.finish_json({})

    async def _count(self) -> int:
        found = await self.services.rooms.presence(ROOM)
        return 0 if isinstance(found, RoomRefusal) else sum(each.sockets for each in found)


class Publish(BaseHandler):
    """`POST /publish?times=…`: publishes so often."""

    access = Access.PUBLIC

    async def post(self) -> None:
        """Do it."""
        for _ in range(int(self.get_query_argument("times"))):
            await self.services.rooms.publish(ToRoom(ROOM), TEXT)
        self.finish_json({})


if __name__ == "__main__":
    sys.exit(serve([url(r"/admit", Admit), url(r"/publish", Publish)]))
