"""An application that was written against version 0.1 of the public API, and is not changed.

If it does not work any more, the API has broken: that needs a new second number of the version, and
a row in CHANGELOG.md that says what to write instead.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from curfew import (
    SECRET,
    Access,
    Application,
    Argument,
    BaseHandler,
    Body,
    Bounds,
    Brand,
    Command,
    CommandFailed,
    CommandGroup,
    ConfigurationError,
    EndedSession,
    Node,
    PageHandler,
    Problem,
    ProblemRaised,
    Reason,
    Session,
    SocketHandler,
    Task,
    answer,
    operation,
    path_parameter,
    url,
)

HERE = Path(__file__).parent
ROOM = {"type": "object", "properties": {"room": {"type": "string"}}, "required": ["room"]}
TEXT = {"type": "string"}
FULL = Problem(409, "room-full", "The room is full", "There is no seat left.")


@dataclass(frozen=True)
class Options:
    """Its settings."""

    seats: Annotated[int, Bounds(1, 9)] = 2
    pause: timedelta = timedelta(seconds=5)
    token: Annotated[str, SECRET] = ""
    fails: str = ""


@asynccontextmanager
async def lifespan(node: Node) -> AsyncIterator[dict[str, Any]]:
    """Count what is booked."""
    if node.settings.fails == "lifespan":
        raise RuntimeError("the database is away")
    if node.settings.fails == "configuration":
        raise ConfigurationError("The database is of another version.")
    print("lifespan begins", flush=True)
    yield {"booked": node.metrics.counter("kept_bookings", "Bookings.", "room"), "ticks": 0}
    print("lifespan ends", flush=True)


async def before_all(node: Node) -> None:
    """Once per machine."""
    if node.settings.fails == "machine":
        raise RuntimeError("no migration")
    print("machine begins", flush=True)


async def after_all(_: Node) -> None:
    """Once per machine."""
    print("machine ends", flush=True)


async def tick(node: Node) -> None:
    """Work beside requests."""
    node.state["ticks"] += 1
    raise RuntimeError("a tick fails")


async def begun(_: Node, session: Session) -> None:
    """Say so."""
    print(f"hook: began {session.user}", flush=True)


async def rotated(_: Node, session: Session) -> None:
    """Say so."""
    print(f"hook: rotated {session.user}", flush=True)


async def ended(node: Node, session: EndedSession, reason: Reason | None) -> None:
    """Say so; fail the first time if that is asked for."""
    print(f"hook: ended {session.user} {reason}", flush=True)
    if node.settings.fails == "hook" and reason is Reason.LOGOUT:
        raise RuntimeError("the rows are locked")


class Rooms(BaseHandler):
    """`/api/rooms/…`."""

    parameters = (path_parameter("room", TEXT, "Its name."),)

    @operation("One room.", answer("It.", ROOM))
    def get(self, room: str) -> None:
        """Answer with it."""
        self.finish_json({"room": room, "seats": self.node.settings.seats, "user": self.user})

    @operation("Book it.", answer("It.", ROOM), takes=Body({"name": TEXT}), refuses=[FULL])
    async def post(self, room: str) -> None:
        """Book a seat."""
        name = self.read_body().text("name")
        booked = self.session.data.get("booked", [])
        if not isinstance(booked, list) or len(booked) >= self.node.settings.seats:
            raise ProblemRaised(FULL)
        await self.write_data({"booked": [*booked, name]})
        self.node.state["booked"].labels(self.node.id, room).inc()
        self.get(room)


class State(BaseHandler):
    """`/api/state`: for everybody."""

    access = Access.PUBLIC

    def get(self) -> None:
        """Answer with what the lifespan yielded."""
        self.finish_json({"ticks": self.node.state["ticks"]})


class Leave(BaseHandler):
    """`/api/leave`: ends all sessions of a person."""

    async def post(self) -> None:
        """End them."""
        receipt = await self.services.terminations.all_of(self.user, Reason.TERMINATED)
        self.finish_receipt(receipt)


class RoomsPage(PageHandler):
    """`/rooms`."""

    def get(self) -> None:
        """Show the page, or refuse."""
        if self.get_query_argument("full", ""):
            raise ProblemRaised(FULL)
        self.render("rooms.html", seats=self.node.settings.seats)


class Echo(SocketHandler):
    """`/ws/echo`."""

    async def on_data(self, session: Session, data: Any) -> None:
        """Send it to the other tabs, with the user's name."""
        if self.socket is not None:
            await self.socket.forward(session, {"from": session.user, "said": data})


async def seats(node: Node, room: str) -> None:
    """Print the seats of a room."""
    if room == "none":
        raise CommandFailed("There is no such room.")
    print(f"{room}: {node.settings.seats} seats, {node.state['ticks']} ticks")


application = Application(
    "kept",
    routes=[
        url(r"/api/rooms/([^/]+)", Rooms),
        (r"/api/state", State),
        (r"/api/leave", Leave),
        (r"/rooms", RoomsPage),
        (r"/ws/echo", Echo),
    ],
    settings=Options,
    prefix="KEPT_",
    lifespan=lifespan,
    machine_start=before_all,
    machine_stop=after_all,
    on_session_started=begun,
    on_session_rotated=rotated,
    on_session_ended=ended,
    tasks=[Task("tick", tick, once_per_machine=True)],
    commands=[
        CommandGroup(
            "rooms", "act on rooms", (Command("seats", "count", seats, (Argument("room"),)),)
        ),
    ],
    templates=HERE / "templates",
    static=[HERE / "static"],
    languages=HERE / "languages",
    brand=Brand("Kept & Co", logo="kept/logo.svg", colours={"night": "#123456"}),
    start_limit=timedelta(seconds=20),
    stop_limit=timedelta(seconds=5),
)

if __name__ == "__main__":
    sys.exit(application.main())
