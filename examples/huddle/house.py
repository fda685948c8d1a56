"""What Huddle keeps in its database: rooms, what was said in them, and who was removed."""

import re
import time
from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from sqlalchemy import (
    Column,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from curfew import Json
from examples.sql_accounts import transaction

SHOWN: Final = 50
"""How many of the latest lines a page shows."""
PREFIX: Final = "huddle:"
"""Begins the names of our rooms, as Curfew knows them."""
NUMBER: Final = re.compile("[0-9]{1,9}")

TABLES: Final = MetaData()
ROOMS: Final = Table(
    "rooms",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("name", String, unique=True, nullable=False),
)
LINES: Final = Table(
    "lines",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("room", Integer, nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("user", String, nullable=False),
    Column("text", String, nullable=False),
    Column("at", Float, nullable=False),
    Column("position", String, nullable=False, default=""),
)
REMOVED: Final = Table(
    "removed",
    TABLES,
    Column("room", Integer, primary_key=True),
    Column("user", String, primary_key=True),
)


@dataclass(frozen=True)
class Room:
    """A room; `topic` is what Curfew calls it."""

    id: int
    name: str

    @property
    def topic(self) -> str:
        return f"{PREFIX}{self.id}"


class NotOpened(Enum):
    """Why a room was not opened."""

    TAKEN = auto()
    FULL = auto()


@dataclass(frozen=True)
class Line:
    """Something that was said, or that happened.

    Attributes:
        id: counts the lines of all rooms.
        kind: `said`, `opened`, `removed` or `admitted`.
        user: who said it, or whom it is about.
        text: what was said.
        at: Unix seconds.
        position: its place in Curfew's room; empty until it was published.
    """

    id: int
    kind: str
    user: str
    text: str
    at: float
    position: str = ""

    def as_json(self) -> Json:
        return {name: getattr(self, name) for name in ("id", "kind", "user", "text", "at")}


class House:
    """All rooms, in one database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def rooms(self) -> Sequence[Room]:
        """Return all rooms by name."""
        async with self._transaction() as database:
            rows = await database.execute(select(ROOMS).order_by(ROOMS.c.name))
            return [Room(*row) for row in rows]

    async def room(self, number: str) -> Room | None:
        """Return a room by its id, as an address or a client gives it; None if there is none."""
        if not NUMBER.fullmatch(number):
            return None
        asking = select(ROOMS).where(ROOMS.c.id == int(number))
        async with self._transaction() as database:
            row = (await database.execute(asking)).first()
            return Room(*row) if row else None

    async def open(self, name: str, most: int) -> Room | NotOpened:
        """Open a room, if there are fewer than so many, and none with this name."""
        opening = upsert(ROOMS).values(name=name).on_conflict_do_nothing().returning(ROOMS)
        async with self._transaction() as database:
            if (await database.scalar(select(func.count()).select_from(ROOMS)) or 0) >= most:
                return NotOpened.FULL
            row = (await database.execute(opening)).first()
            return Room(*row) if row else NotOpened.TAKEN

    async def write(self, room: Room, kind: str, user: str, text: str) -> Line:
        """Keep a line."""
        at = time.time()
        line = {"room": room.id, "kind": kind, "user": user, "text": text, "at": at}
        async with self._transaction() as database:
            writing = insert(LINES).values(line).returning(LINES.c.id)
            number = (await database.execute(writing)).scalar_one()
            return Line(number, kind, user, text, at)

    async def place(self, line: Line, position: str) -> None:
        """Note where in Curfew's room a line is, so that pages go on from there."""
        async with self._transaction() as database:
            placing = update(LINES).where(LINES.c.id == line.id)
            await database.execute(placing.values(position=position))

    async def latest(self, room: Room, *, after: int = 0) -> Sequence[Line]:
        """Return the latest lines behind one, the oldest of them first: `SHOWN` at most."""
        columns = [LINES.c[name] for name in ("id", "kind", "user", "text", "at", "position")]
        asking = select(*columns).where(LINES.c.room == room.id, LINES.c.id > after)
        async with self._transaction() as database:
            rows = await database.execute(asking.order_by(LINES.c.id.desc()).limit(SHOWN))
            return [Line(*row) for row in rows][::-1]

    async def speakers(self, room: Room) -> Collection[str]:
        """Return who has ever said something."""
        asking = select(LINES.c.user).where(LINES.c.room == room.id).distinct()
        async with self._transaction() as database:
            return set(await database.scalars(asking))

    async def admits(self, room: Room, user: str) -> bool:
        """Return whether somebody may come in."""
        return user not in await self.removed(room)

    async def removed(self, room: Room) -> Collection[str]:
        """Return who may not come in any more."""
        asking = select(REMOVED.c.user).where(REMOVED.c.room == room.id)
        async with self._transaction() as database:
            return set(await database.scalars(asking))

    async def remove(self, room: Room, user: str) -> None:
        """Keep somebody out."""
        removing = upsert(REMOVED).values(room=room.id, user=user).on_conflict_do_nothing()
        async with self._transaction() as database:
            await database.execute(removing)

    async def admit(self, room: Room, user: str) -> None:
        """Let somebody in again."""
        async with self._transaction() as database:
            row = (REMOVED.c.room == room.id) & (REMOVED.c.user == user)
            await database.execute(delete(REMOVED).where(row))

    def _transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return transaction(self._engine, "rooms")
