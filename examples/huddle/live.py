"""What the script of a room talks to: the socket, and what it missed while it was away for long."""

from typing import Final

from curfew import (
    BaseHandler,
    FrameRefused,
    Session,
    SocketHandler,
    answer,
    frame,
    operation,
    path_parameter,
    query_parameter,
)
from examples.huddle.house import NUMBER, PREFIX, SHOWN
from examples.huddle.talk import NO_ROOM, REMOVED, room_for, say

LINES: Final = {
    "type": "object",
    "properties": {
        "lines": {"type": "array", "items": {"type": "object"}},
        "complete": {"type": "boolean"},
    },
    "required": ["lines", "complete"],
}


class Lines(BaseHandler):
    """`/api/rooms/…/lines`: for pages that are too far behind for the room's own replay."""

    parameters = (path_parameter("room", {"type": "integer"}, "Its id."),)

    @operation(
        "What was said in a room after a line.",
        answer("The latest lines, and whether that is all.", LINES),
        parameters=[query_parameter("after", {"type": "integer"}, "The id of the line.")],
        refuses=[NO_ROOM, REMOVED],
    )
    async def get(self, number: str) -> None:
        """Answer with the lines."""
        room = await room_for(self.user, self.node.state, number)
        after = self.get_query_argument("after", "")
        after_line = int(after) if NUMBER.fullmatch(after) else 0
        lines = await self.node.state.latest(room, after=after_line)
        told = [each.as_json() for each in lines]
        self.finish_json({"lines": told, "complete": len(lines) < SHOWN})


class Chat(SocketHandler):
    """`/ws/huddle`: who may join, and how one says something."""

    async def may_join(self, session: Session, room: str) -> bool:
        """Let in everybody who is signed in, except who was removed."""
        found = await self.node.state.room(room.removeprefix(PREFIX))
        if found is None or session.user is None:
            return False
        return bool(await self.node.state.admits(found, session.user))

    @frame("say", room=str, text=str)
    async def say(self, session: Session, room: str, text: str) -> None:
        """Say something in a room."""
        found = await self.node.state.room(room.removeprefix(PREFIX))
        if found is None or session.user is None:
            raise FrameRefused("no-such-room", "There is no such room.")
        if problem := await say(self.node, found, session.user, text):
            raise FrameRefused(problem.slug, problem.detail)
