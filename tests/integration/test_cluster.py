"""A server on a real cluster: a whole life of sessions, and a master that gives way."""

import asyncio
import itertools
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import partial

import pytest
from websockets.asyncio.client import ClientConnection

from server.core.rooms import digest_of
from server.store.names import ShardNames
from tests.support.clients.client import Client, frame
from tests.support.clients.people import People, people_of
from tests.support.clients.sockets import end_of, frames_of
from tests.support.running.waiting import until
from tests.support.servers.cluster import ValkeyCluster
from tests.support.servers.server import ROOT, CurfewServer

STAYING = ("ann", "cem", "kim")
"""In shards of three masters."""
PASSING = ("joe", "lea")


_numbers = itertools.count(1)


@pytest.fixture
def cluster() -> Iterator[ValkeyCluster]:
    with ValkeyCluster() as cluster:
        yield cluster


@pytest.fixture
def server(cluster: ValkeyCluster) -> Iterator[CurfewServer]:
    script = ROOT / "tests" / "support" / "servers" / "rooms.py"
    with CurfewServer(
        script=script, store_url=cluster.url, processes="2", node_lease="8s"
    ) as server:
        yield server
        assert "Traceback" not in server.log, server.log


async def open_socket(client: Client, stack: AsyncExitStack, path: str = "/ws") -> ClientConnection:
    """A socket that has said hello."""
    socket = await stack.enter_async_context(client.open_socket(path=path))
    await frame(socket, "hello")
    return socket


async def prove_a_whole_life(people: People, stack: AsyncExitStack) -> None:
    """People sign in, open some sockets, and one after the other log out."""
    for name in PASSING:
        each = await (await people.visitor()).sign_up(f"{name}-{next(_numbers)}")
        sockets = [await open_socket(each, stack) for _ in range(4)]
        receipt = (await each.request("POST", "/api/logout")).json()
        told = receipt["state"], receipt["nodes"], receipt["sockets_closed"]
        assert told == ("complete", {"acked": 2, "lease_expired": 0, "waiting": 0}, 4), receipt
        assert {(await end_of(socket)).reason for socket in sockets} == {"logout"}
        assert (await each.request("GET", "/api/session")).status_code == 401


def rooms_of_all_masters(cluster: ValkeyCluster) -> list[str]:
    """A room in a shard of each master, the one of shard 0 first; joined by who asks."""
    names = {ShardNames.of_room(digest_of(name), 16).shard: name for name in
             (f"open {number}" for number in range(200))}  # fmt: skip
    masters = {cluster.master_of(shard): shard for shard in reversed(range(16))}
    assert len(masters) == 3
    return [names[shard] for shard in sorted(masters.values())]


async def do(client: Client, method: str, **given: object) -> None:
    """Call a method of `rooms` in one of the processes."""
    answer = await client.request("POST", f"/do/{method}", given)
    assert answer.status_code == 200, answer.text
    assert "refused" not in answer.json(), answer.text


async def prove_rooms(
    rooms: list[str], publisher: Client, sockets: list[ClientConnection], word: str
) -> None:
    """What is published reaches the sockets, on both processes and of people in all shards."""
    for room in rooms:
        await do(publisher, "publish", to={"room": room}, data=word)
        for socket in sockets:
            told = await frame(socket, "published")
            while told["data"] != word:  # something from before, which came late
                told = await frame(socket, "published")
            assert told["room"] == room


async def notice_the_failover(
    room: str, publisher: Client, sockets: list[ClientConnection]
) -> None:
    """Publish until it is taken: each socket gets it, or is told that it lost something."""

    async def is_taken() -> bool:
        given = {"to": {"room": room}, "data": "probe"}
        return (await publisher.request("POST", "/do/publish", given)).status_code == 200

    await until(is_taken)
    for socket in sockets:
        async with asyncio.timeout(10):
            while json.loads(await socket.recv())["type"] not in {"lost", "published"}:
                pass


async def test_a_life_of_sessions_on_a_cluster_and_a_master_that_gives_way(
    cluster: ValkeyCluster, server: CurfewServer
) -> None:
    async with people_of(server.url) as people, AsyncExitStack() as stack:
        await prove_a_whole_life(people, stack)
        staying = [await (await people.visitor()).sign_up(name) for name in STAYING]
        sockets = [await open_socket(each, stack) for each in staying]
        rooms, in_rooms = (
            rooms_of_all_masters(cluster),
            [await open_socket(each, stack, "/ws/game") for each in (*staying, *staying)],
        )
        for room in rooms:
            await do(staying[0], "create", room=room)
            await do(staying[0], "add", room=room, user=STAYING[0])
            for socket, who in zip(in_rooms, (*STAYING, *STAYING), strict=True):
                if who != STAYING[0]:  # the first was added
                    await socket.send(json.dumps({"type": "join", "room": room}))
                assert (await frame(socket, "joined"))["room"] == room
        await prove_rooms(rooms, staying[0], in_rooms, "before")
        master = cluster.master_of(0)
        (replica,) = cluster.replicas_of(master)
        await asyncio.to_thread(cluster.fail_over, replica)

        async def is_served(client: Client) -> bool:
            return (await client.request("GET", "/api/session")).status_code == 200

        for each in staying:
            await until(partial(is_served, each))
        for socket in sockets:
            await socket.send('{"type":"ping"}')
            await frame(socket, "pong")
        await notice_the_failover(rooms[0], staying[0], in_rooms)
        await prove_rooms(rooms, staying[0], in_rooms, "after")
        for room in rooms:
            await do(staying[1], "remove", room=room, user=STAYING[0])
            await do(staying[1], "publish", to={"room": room}, data="secret")
        assert "secret" not in str(await frames_of(in_rooms[0]))
        await prove_a_whole_life(people, stack)
