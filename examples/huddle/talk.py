"""What one can do in a room: each act is kept in the database, and told to who is there."""

from datetime import timedelta
from typing import Final

from curfew import Node, Problem, ProblemRaised, Published, RoomOptions, ToRoom
from examples.huddle.house import House, Line, NotOpened, Room

LONGEST: Final = 500
"""Characters of what one says at once."""
OPTIONS: Final = RoomOptions(presence=True, keep=100, keep_for=timedelta(minutes=10))
"""Who is there is told, and who comes back within ten minutes gets what was missed."""

NO_ROOM: Final = Problem(404, "no-room", "There is no such room", "Look at the list of rooms.")
NOT_SAID: Final = Problem(
    422, "not-said", "That was not said", f"Say something, in at most {LONGEST} characters."
)
REMOVED: Final = Problem(
    403, "removed-from-room", "You are not in this room", "An administrator removed you from it."
)


async def room_for(user: str, house: House, number: str) -> Room:
    """Return a room in which somebody may be.

    Raises:
        ProblemRaised: there is none, or the person was removed from it.
    """
    room = await house.room(number)
    if room is None:
        raise ProblemRaised(NO_ROOM)
    if not await house.admits(room, user):
        raise ProblemRaised(REMOVED)
    return room


async def make_room(node: Node, room: Room) -> None:
    """Make the room at Curfew, or let it be if there is one."""
    if refusal := await node.services.rooms.create(room.topic, OPTIONS):
        raise RuntimeError(f"{room.topic} was not made: {refusal}")


async def open_room(node: Node, name: str, user: str) -> Room | NotOpened:
    """Open a room. Everybody may, so there is a limit to how many there are."""
    house: House = node.state
    room = await house.open(name, node.settings.room_limit)
    if isinstance(room, Room):
        await make_room(node, room)
        await tell(node, room, "opened", user)
    return room


async def say(node: Node, room: Room, user: str, text: str) -> Problem | None:
    """Say something to all who are in a room; return why not, if it was not said."""
    if not 0 < len(text.strip()) <= LONGEST:
        return NOT_SAID
    if not await node.state.admits(room, user):
        return REMOVED
    await tell(node, room, "said", user, text.strip())
    return None


async def remove(node: Node, room: Room, user: str) -> None:
    """Remove somebody: first from our own data, which `may_join` asks, and then from the room.

    When this has returned, nothing that is said in the room reaches them.
    """
    await node.state.remove(room, user)
    await node.services.rooms.remove(room.topic, user=user)
    await tell(node, room, "removed", user)


async def admit(node: Node, room: Room, user: str) -> None:
    """Let somebody in again."""
    await node.state.admit(room, user)
    await tell(node, room, "admitted", user)


async def tell(node: Node, room: Room, kind: str, user: str, text: str = "") -> None:
    """Keep a line, and publish it."""
    line: Line = await node.state.write(room, kind, user, text)
    sent = await node.services.rooms.publish(ToRoom(room.topic), line.as_json())
    if isinstance(sent, Published):
        await node.state.place(line, sent.position)
