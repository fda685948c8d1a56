"""The page for administrators: who is in a room, and what can be done about it."""

from typing import Final

from curfew import Access, ConfirmedForm, Problem, ProblemRaised, Reason, receipt_notice
from examples.huddle.house import Room
from examples.huddle.pages import HuddlePage
from examples.huddle.talk import admit, remove, room_for

NOBODY: Final = Problem(404, "nobody", "Nothing was done", "There is nobody with this name.")
NOT_YOURSELF: Final = Problem(
    422, "not-yourself", "Nothing was done", "You cannot do this to yourself here."
)


class PeoplePage(HuddlePage):
    """`/rooms/…/people`."""

    access = Access.ADMIN

    async def get(self, number: str) -> None:
        """Show the page."""
        await show_people(self, await room_for(self.user, self.house, number))


class PersonForm(ConfirmedForm, HuddlePage):
    """A form about one person in a room. It asks for the password if that is long ago."""

    access = Access.ADMIN
    access_to_change = Access.ADMIN
    carried = ("user",)
    home = "/"

    async def act(self, *arguments: str) -> None:
        """Do it, and show the page with what was done."""
        room = await room_for(self.user, self.house, arguments[0])
        account = await self.services.accounts.find(self.field("user"))
        if account is None:
            raise ProblemRaised(NOBODY)
        if account.user == self.user:
            raise ProblemRaised(NOT_YOURSELF)
        await show_people(self, room, await self.do(room, account.user))

    async def do(self, room: Room, user: str) -> list[str]:
        """Do it, and return the sentences that say so."""
        raise NotImplementedError


class RemovePerson(PersonForm):
    """`POST /rooms/…/people/remove`."""

    async def do(self, room: Room, user: str) -> list[str]:
        """Remove the person from the room: nothing that is said from now on reaches them."""
        await remove(self.node, room, user)
        return [self.text("people.removed", user=user)]


class AdmitPerson(PersonForm):
    """`POST /rooms/…/people/admit`."""

    async def do(self, room: Room, user: str) -> list[str]:
        """Let the person in again."""
        await admit(self.node, room, user)
        return [self.text("people.admitted", user=user)]


class EndSessions(PersonForm):
    """`POST /rooms/…/people/end`."""

    async def do(self, room: Room, user: str) -> list[str]:
        """End all sessions of the person, on all devices, and return the receipt in words."""
        del room
        receipt = await self.services.terminations.all_of(user, Reason.ADMIN)
        return receipt_notice(self, receipt)


async def show_people(page: HuddlePage, room: Room, notice: list[str] | None = None) -> None:
    """Show who is in a room, who spoke there, and who was removed."""
    tabs = {each.user: each.sockets for each in await page.present_in(room) if each.user}
    removed = await page.house.removed(room)
    people = sorted({*tabs, *removed, *await page.house.speakers(room)})
    page.render(
        "people.html",
        room=room,
        people=people,
        tabs=tabs,
        removed=removed,
        error=None,
        notice=notice or [],
    )
