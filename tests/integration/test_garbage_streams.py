"""Garbage in the streams that every process follows: it is passed over, and everything goes on."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from websockets.exceptions import WebSocketException

from server.store.names import ShardNames
from tests.support.clients.client import Client, frame
from tests.support.clients.people import People
from tests.support.clients.sockets import end_of
from tests.support.running.waiting import until
from tests.support.servers.server import CurfewServer
from tests.support.servers.valkey import ValkeyServer
from tests.support.servers.workers import workers_of

NAMES = ShardNames(0)
Entry = Any
"""redis-py's own type cannot be written down."""

ENDED: Entry = {
    "event": "f",
    "origin": "x",
    "reason": "logout",
    "at": "1.0",
    "user": "",
    "sids": "",
}
ENTRIES: list[Entry] = [
    {"x": "y"},
    {b"\xff": b"\xff"},
    {"kind": "unheard-of"},
    {"kind": "ended"},
    {"kind": "ended", **ENDED, "reason": "nonsense"},
    {"kind": "ended", **ENDED, "at": "soon"},
    {"kind": "ended", **ENDED, "origin": "\n"},
    {"kind": "ended", **ENDED, "user": "nobody", "sids": "00 * \x00"},
    {"kind": "rotated", "sid": "", "generation": "-"},
    {"kind": "rotated", "sid": "x", "generation": "9" * 5000},
    {"kind": "changed"},
    {"kind": "extended", "sid": "*"},
    {"kind": "message", "user": "x"},
    {"kind": "message", "user": "x", "connection": "c", "box": b"\xff" * 100},
    {"kind": "x" * 1_000_000},
    {"node": "x", "closed": "{"},
    {"node": "x", "closed": "[]"},
    {"node": "x", "closed": '{"e":"many"}'},
    {"node": b"\xff", "closed": "{}"},
    {"node": "x"},
]


@pytest.fixture(scope="module")
def store() -> Iterator[ValkeyServer]:
    with ValkeyServer() as running:
        yield running


@pytest.fixture(scope="module")
def server(store: ValkeyServer) -> Iterator[CurfewServer]:
    with CurfewServer(processes="2", store_url=store.url) as running:
        yield running


def add_garbage(raw: redis.Redis) -> None:
    """To every stream there is, and to those of the nodes' replies."""
    listed: Any = raw.zrange(NAMES.nodes, 0, -1)
    nodes = [node.decode() for node in listed]
    assert len(nodes) == 2
    own = (NAMES.control, NAMES.messages, NAMES.acknowledgements)
    for name in (*own, *map(NAMES.replies, nodes)):
        for fields in ENTRIES:
            raw.xadd(name, fields)


async def tell(sender: Client, number: int) -> bool:
    """Send a message to the user's other sockets, from one that may be cut; whether it was not."""
    try:
        async with sender.open_socket() as socket:
            await frame(socket, "hello")
            await socket.send(json.dumps({"type": "message", "data": number}))
            await socket.send(json.dumps({"type": "ping"}))
            await frame(socket, "pong")
    except WebSocketException:
        return False
    return True


@pytest.mark.proves("A91", "A92")
async def test_sockets_and_terminations_go_on(
    server: CurfewServer, people: People, raw: redis.Redis
) -> None:
    client = await people.somebody()
    workers = workers_of(server)
    sockets = [client.open_socket() for _ in range(8)]
    opened = await asyncio.gather(*(socket.__aenter__() for socket in sockets))
    try:
        for socket in opened:
            await frame(socket, "hello")
        add_garbage(raw)
        assert await tell(client, 7)
        for socket in opened:
            assert (await frame(socket, "message"))["data"] == 7
        receipt = (await client.request("POST", "/api/logout")).json()
        assert (receipt["state"], receipt["sockets_closed"]) == ("complete", 8)
        for socket in opened:
            assert (await end_of(socket)).code == 4401
    finally:
        await asyncio.gather(*(socket.__aexit__(None, None, None) for socket in sockets))
    assert workers_of(server) == workers


@pytest.mark.parametrize("at", ["nan", "inf", "1e999", "-1e308"])
@pytest.mark.proves("A89")
async def test_a_forged_end_ends_no_session(
    server: CurfewServer, people: People, raw: redis.Redis, at: str
) -> None:
    client = await people.somebody()
    workers = workers_of(server)
    forged: Entry = {"kind": "ended", **ENDED, "at": at}
    async with client.open_socket() as socket:
        await frame(socket, "hello")
        for sids in (client.sid, "*"):
            raw.xadd(NAMES.control, forged | {"sids": sids})
        await until(lambda: tell(client, 1))
    assert (await client.request("GET", "/api/session")).status_code == 200
    # Every node has carried out what came before it when it acknowledges an end.
    assert (await client.request("POST", "/api/logout")).json()["state"] == "complete"
    assert workers_of(server) == workers
