"""Huddle: rooms to talk in, an application on Curfew. Begin here.

`python -m examples.huddle` serves it, `python -m examples.huddle --help` lists its commands.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from curfew import Application, Bounds, Brand, Node, url
from examples.huddle.house import TABLES, House
from examples.huddle.live import Chat, Lines
from examples.huddle.pages import Lobby, RoomPage
from examples.huddle.people import AdmitPerson, EndSessions, PeoplePage, RemovePerson
from examples.huddle.talk import make_room
from examples.sql_accounts import open_accounts, open_database

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Options:
    """The settings: `HUDDLE_DATABASE`, `HUDDLE_ROOM_LIMIT`."""

    database: str = "sqlite+aiosqlite:///huddle.sqlite"
    room_limit: Annotated[int, Bounds(1, 1_000)] = 200


@asynccontextmanager
async def lifespan(node: Node) -> AsyncIterator[House]:
    """Open the house; handlers find it in `self.node.state`."""
    async with open_database(node.settings.database, TABLES) as engine:
        yield House(engine)


async def make_rooms(node: Node) -> None:
    """Make the rooms that the database has, in case the session store is a new one."""
    async with lifespan(node) as house:
        for room in await house.rooms():
            await make_room(node, room)


application = Application(
    "huddle",
    routes=[
        url(r"/", Lobby),
        url(r"/rooms/([0-9]+)", RoomPage),
        url(r"/rooms/([0-9]+)/people", PeoplePage),
        url(r"/rooms/([0-9]+)/people/remove", RemovePerson),
        url(r"/rooms/([0-9]+)/people/admit", AdmitPerson),
        url(r"/rooms/([0-9]+)/people/end", EndSessions),
        url(r"/api/rooms/([0-9]+)/lines", Lines),
        url(r"/ws/huddle", Chat),
    ],
    settings=Options,
    accounts=lambda options: open_accounts(options.database),
    lifespan=lifespan,
    machine_start=make_rooms,
    templates=HERE / "templates",
    static=HERE / "static",
    languages=HERE / "languages",
    brand=Brand("Huddle", stylesheet="huddle/huddle.css"),
)
