"""The pages for everybody: the rooms, and one room. They work without JavaScript, too."""

import asyncio
from collections.abc import Sequence
from typing import Final

from curfew import Access, PageHandler, Present, Problem
from examples.huddle.house import House, NotOpened, Room
from examples.huddle.talk import LONGEST, open_room, room_for, say

LONGEST_NAME: Final = 40
BAD_NAME: Final = Problem(
    422, "bad-room-name", "No room was opened", f"A name has 1 to {LONGEST_NAME} characters."
)
NOT_OPENED: Final = {
    NotOpened.TAKEN: Problem(
        409, "room-name-taken", "No room was opened", "There is a room with this name."
    ),
    NotOpened.FULL: Problem(
        409, "too-many-rooms", "No room was opened", "There are as many rooms as there may be."
    ),
}


class HuddlePage(PageHandler):
    """What all pages share: the house, and who is present."""

    @property
    def house(self) -> House:
        """Our data, which the lifespan opened."""
        return self.node.state  # type: ignore[no-any-return]  # what an application yields

    async def present_in(self, room: Room) -> Sequence[Present]:
        """Return who is there, with the number of tabs."""
        found = await self.services.rooms.presence(room.topic)
        return found if isinstance(found, tuple) else ()

    async def administers(self) -> bool:
        """Return whether this is an administrator."""
        account = await self.services.accounts.find(self.user)
        return account is not None and account.admin


class Lobby(HuddlePage):
    """`/`: what this is, for visitors; the rooms, for people who are signed in."""

    access = Access.PUBLIC
    access_to_change = Access.SIGNED_IN

    async def get(self) -> None:
        """Show the page."""
        await self._show()

    async def post(self) -> None:
        """Open a room, and go there."""
        name = self.typed("name")
        if not (0 < len(name) <= LONGEST_NAME and name.isprintable()):
            await self._show(BAD_NAME, name)
            return
        opened = await open_room(self.node, name, self.user)
        if isinstance(opened, NotOpened):
            await self._show(NOT_OPENED[opened], name)
        else:
            self.see_other(f"/rooms/{opened.id}")

    async def _show(self, problem: Problem | None = None, name: str = "") -> None:
        rooms = await self.house.rooms() if self.live else []
        present = await asyncio.gather(*(self.present_in(each) for each in rooms))
        error = self.sentence_for(problem) if problem else None
        if problem:
            self.set_status_of(problem)
        self.render(
            "lobby.html",
            rooms=list(zip(rooms, map(len, present), strict=True)),
            error=error,
            name=name,
            most=LONGEST_NAME,
        )


class RoomPage(HuddlePage):
    """`/rooms/…`: what was said, who is here, and a field to say something."""

    socket = "/ws/huddle"
    texts_for_scripts = ("chat",)

    async def get(self, number: str) -> None:
        """Show the page."""
        await self._show(await room_for(self.user, self.house, number))

    async def post(self, number: str) -> None:
        """Say something, without JavaScript."""
        room = await room_for(self.user, self.house, number)
        text = self.typed("text")
        if problem := await say(self.node, room, self.user, text):
            await self._show(room, problem, text)
        else:
            self.see_other(f"/rooms/{room.id}#say")

    async def _show(self, room: Room, problem: Problem | None = None, text: str = "") -> None:
        lines = await self.house.latest(room)
        if problem:
            self.set_status_of(problem)
        self.render(
            "room.html",
            room=room,
            lines=lines,
            position=next((each.position for each in reversed(lines) if each.position), ""),
            present=await self.present_in(room),
            administers=await self.administers(),
            error=self.sentence_for(problem) if problem else None,
            typed=text,
            most=LONGEST,
        )
