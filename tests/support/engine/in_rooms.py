"""Two nodes that serve, with people in a room, for unit tests of the parts of rooms."""

import asyncio
from datetime import timedelta
from typing import Any

from server.core.rooms import Published, RoomOptions, RoomRefusal, Target, ToRoom
from server.core.session import Json, Session
from server.realtime.rooms import Rooms
from server.realtime.socket_hooks import NoHooks
from server.sessions.verdicts import LiveSession
from tests.support.engine.memory_node import Client, MemoryNode, new_memory

ROOM = "den"
A_WHILE = 0.5
"""Seconds in which everything between two nodes without faults has arrived."""


class Doors(NoHooks):
    """An application that lets people in whom it knows.

    Attributes:
        known: their names.
        asked: how often it was asked.
    """

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.asked = 0

    async def may_join(self, session: Session, room: str) -> bool:
        """Let people in who are known."""
        del room
        self.asked += 1
        return session.user in self.known


class InRooms:
    """Two nodes on one store.

    Attributes:
        nodes: the nodes.
        doors: the application's check.
    """

    def __init__(self) -> None:
        memory = new_memory()
        self.nodes = [MemoryNode(memory), MemoryNode(memory, name="n2")]
        self.memory = memory
        self.doors = Doors()

    @property
    def rooms(self) -> Rooms:
        """What the application uses, on the first node."""
        return self.nodes[0].engine.rooms

    async def start(self, options: RoomOptions | None = None) -> None:
        """Start the nodes, and make the room."""
        for node in self.nodes:
            await node.start()
        assert await self.rooms.create(ROOM, options) is None

    async def arrive(self, user: str = "ann", at: int = 0) -> Client:
        """Sign in, and open a socket on a node."""
        return await self.open(await self.nodes[at].sign_in(user), at)

    async def open(self, live: LiveSession, at: int = 0) -> Client:
        """Open a socket of a session on a node."""
        client = self.nodes[at].client()
        client.socket._hooks = self.doors
        await client.socket.open(live.session)
        await asyncio.sleep(A_WHILE)
        return client

    async def say(self, client: Client, text: str) -> None:
        """Send a frame as the client."""
        await client.socket.receive(text)
        await asyncio.sleep(A_WHILE)

    async def join(self, client: Client, more: str = "") -> None:
        """Ask to join the room."""
        await self.say(client, f'{{"type":"join","room":"{ROOM}"{more}}}')

    async def publish(
        self, data: Json, to: Target | None = None, within: float | None = None
    ) -> Published | RoomRefusal:
        """Publish, and wait until it has arrived."""
        seconds = None if within is None else timedelta(seconds=within)
        sent = await self.rooms.publish(to or ToRoom(ROOM), data, acknowledge_within=seconds)
        await asyncio.sleep(A_WHILE)
        return sent


def told(client: Client, kind: str) -> list[dict[str, Any]]:
    """Return the frames of a type that a client got."""
    return [frame for frame in client.peer.frames if frame["type"] == kind]


def heard(client: Client) -> list[Any]:
    """Return the data of what was published to a client."""
    return [frame["data"] for frame in told(client, "published")]


def store_of(here: InRooms, at: int = 0) -> Any:
    """Return the rooms' store as a node's requests and entrance have it."""
    return here.nodes[at].engine.socket_dependencies.rooms._store


def codes(client: Client) -> list[tuple[str, Any]]:
    """Return the code and the room of each error that a client got."""
    return [(each["code"], each.get("room")) for each in told(client, "error")]
