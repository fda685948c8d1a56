"""Two server processes on one port: what happens in one reaches the sockets of the other."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.support.clients.client import Client
from tests.support.clients.people import People, user_of
from tests.support.clients.sockets import end_of, frame, frames_of
from tests.support.running.processes import eventually
from tests.support.servers.server import CurfewServer
from tests.support.servers.workers import sockets_by_node, workers_of

LEASE = "2s"
"""Short, so that the node of a killed process is soon off the list; a receipt waits longer."""


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """Two processes."""
    with CurfewServer(processes="2", node_lease=LEASE, termination_wait="5s") as running:
        eventually(lambda: len(workers_of(running)) == 2)
        yield running


@asynccontextmanager
async def sockets_on_both(
    server: CurfewServer, client: Client
) -> AsyncIterator[list[ClientConnection]]:
    """As many sockets as it takes for each process to hold at least two: the kernel deals."""
    user = await user_of(client)
    async with AsyncExitStack() as stack:
        sockets: list[ClientConnection] = []
        while (
            len(held := await reported(server, user, client.sid, len(sockets))) < 2 or min(held) < 2
        ):
            assert len(sockets) < 200, "all sockets are on one process"
            opening = [stack.enter_async_context(client.open_socket()) for _ in range(6)]
            sockets += await asyncio.gather(*opening)
        for each in sockets:
            await frame(each, "hello")
        yield sockets


async def reported(server: CurfewServer, user: str, sid: str, number: int) -> list[int]:
    """How many sockets each node holds, once all together have reported this number."""

    def held() -> list[int]:
        return list(sockets_by_node(server, user, sid).values())

    await asyncio.to_thread(eventually, lambda: sum(held()) == number)
    return held()


@pytest.mark.proves("7.4.1")
async def test_a_logout_closes_the_sockets_of_both_processes_and_says_so(
    server: CurfewServer, people: People
) -> None:
    client = await people.somebody()
    async with sockets_on_both(server, client) as sockets:
        receipt = (await client.request("POST", "/api/logout")).json()
        ends = await asyncio.gather(*(end_of(each) for each in sockets))
    assert {(each.code, each.reason) for each in ends} == {(4401, "logout")}
    assert {each.last["event"] for each in ends} == {receipt["event"]}
    assert receipt["state"] == "complete"
    assert receipt["nodes"] == {"acked": 2, "lease_expired": 0, "waiting": 0}
    assert (receipt["sessions"], receipt["sockets_closed"]) == (1, len(sockets))


@pytest.mark.proves("7.4.5", "A35")
async def test_ending_everybodys_sessions_closes_all_sockets_of_both_processes(
    server: CurfewServer, people: People
) -> None:
    one, two = await people.somebody(), await people.somebody()
    async with sockets_on_both(server, one) as ones, sockets_on_both(server, two) as twos:
        ran = await asyncio.to_thread(server.command, "sessions", "end", "--all", "--yes")
        ends = await asyncio.gather(*(end_of(each) for each in [*ones, *twos]))
    assert {(each.code, each.reason) for each in ends} == {(4401, "admin")}
    receipts = [json.loads(line) for line in ran.stdout.splitlines()]  # one for each shard
    assert {(each["state"], each["nodes"]["acked"]) for each in receipts} == {("complete", 2)}
    assert sum(each["sockets_closed"] for each in receipts) == len(ends)
    for each in (one, two):
        assert (await each.request("GET", "/api/session")).json()["reason"] == "admin"


async def test_ending_the_other_sessions_counts_their_sockets_only(
    server: CurfewServer, people: People
) -> None:
    client = await people.somebody()
    other = await people.again(client)
    async with (
        sockets_on_both(server, other) as ending,
        client.open_socket() as kept,
    ):
        await frame(kept, "hello")
        receipt = (await client.request("DELETE", "/api/sessions?scope=others")).json()
        ends = await asyncio.gather(*(end_of(each) for each in ending))
        await kept.send('{"type":"ping"}')
        await frame(kept, "pong")
    assert {(each.code, each.reason) for each in ends} == {(4401, "terminated")}
    assert (receipt["sessions"], receipt["sockets_closed"]) == (1, len(ending))
    assert receipt["nodes"]["acked"] == 2


async def test_a_message_reaches_every_other_socket_once(
    server: CurfewServer, people: People
) -> None:
    client = await people.somebody()
    async with sockets_on_both(server, client) as sockets:
        sender, *others = sockets
        await sender.send('{"type":"message","data":"to all"}')
        for each in others:
            assert (await frame(each, "message"))["data"] == "to all"
        for each in sockets:
            assert "message" not in {got["type"] for got in await frames_of(each, 0.02)}


async def test_a_rotation_is_told_to_the_sockets_of_both(
    server: CurfewServer, people: People
) -> None:
    client = await people.somebody()
    async with sockets_on_both(server, client) as sockets:
        await client.request("POST", "/api/session/rotate")
        for each in sockets:
            assert (await frame(each, "rotated"))["generation"] == 2
        # Opened before the rotation, they still hear of a logout after it.
        await client.request("POST", "/api/logout")
        ends = await asyncio.gather(*(end_of(each) for each in sockets))
    assert {each.reason for each in ends} == {"logout"}


@pytest.mark.proves("A100b")
async def test_a_killed_process_comes_back_and_its_clients_can_reconnect(
    server: CurfewServer, people: People
) -> None:
    client = await people.somebody()
    victim = min(workers_of(server))
    async with sockets_on_both(server, client) as sockets:
        os.kill(victim, signal.SIGKILL)
        left = [each for each in sockets if await is_open(each)]
        assert 2 <= len(left) <= len(sockets) - 2
        await asyncio.to_thread(eventually, lambda: another_in_place_of(server, victim))

        newcomer = await people.again(client)
        async with sockets_on_both(server, newcomer) as back:
            receipt = (await client.request("DELETE", "/api/sessions?scope=all")).json()
            ends = await asyncio.gather(*(end_of(each) for each in [*left, *back]))
    assert {(each.code, each.reason) for each in ends} == {(4401, "terminated")}
    assert receipt["sockets_closed"] == len(left) + len(back)
    assert receipt["nodes"]["acked"] == 2
    assert receipt["state"] in {"complete", "bounded"}


def another_in_place_of(server: CurfewServer, victim: int) -> bool:
    """Whether two processes run, and the victim is none of them."""
    return len(found := workers_of(server)) == 2 and victim not in found


async def is_open(socket: ClientConnection) -> bool:
    """Whether the socket answers."""
    try:
        await socket.send('{"type":"ping"}')
        await frame(socket, "pong")
    except ConnectionClosed:
        return False
    return True
