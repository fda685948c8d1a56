"""A whole life in a room, with Node's `ws` as the client, and the crash of a process."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from websockets.asyncio.client import ClientConnection

from server.core.messages import CloseCode
from tests.sockets.test_rooms import do, open_some, say
from tests.support.clients.client import frame
from tests.support.clients.node_socket import node_socket
from tests.support.clients.people import People, user_of
from tests.support.clients.sockets import end_of
from tests.support.running.processes import eventually
from tests.support.servers.server import ROOT, CurfewServer
from tests.support.servers.workers import held_up, workers_of

SCRIPT = ROOT / "tests" / "support" / "servers" / "rooms.py"
ASKED = "/ws/game?rooms=asked"
SOCKETS = 3
"""On each of the processes."""


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """Two processes; one that is gone is soon off the list."""
    with CurfewServer(script=SCRIPT, processes="2", node_lease="2s") as running:
        eventually(lambda: len(workers_of(running)) == 2)
        yield running


@pytest.fixture
def calm_log() -> None:
    """Do not look at the log: a killed process is an error in it."""


async def test_a_life_in_a_room_with_another_client(people: People) -> None:
    ann, bob = await people.somebody(), await people.somebody()
    name = await user_of(ann)
    to = {"to": {"room": "open lobby"}}
    async with AsyncExitStack() as stack:
        assert await do(bob, "create", room="open lobby", presence=True, keep=5) == {}
        first = await stack.enter_async_context(node_socket(ann, ASKED))
        connection = (await first.frame("hello"))["connection"]
        await first.say(type="join", room="open lobby")
        await first.frame("joined")
        (watching,) = await open_some(bob, stack, 1, ASKED)
        await say(watching, type="join", room="open lobby")
        assert (await first.frame("presence"))["user"] == await user_of(bob)

        asking = asyncio.create_task(do(bob, "publish", **to, data="ack me", ack_within=10))
        told = await first.frame("published")
        await first.say(type="ack", id=told["ack"])
        await say(watching, type="ack", id=(await frame(watching, "published"))["ack"])
        answer = await asking
        assert len(answer["acknowledged"]) == 2
        assert connection in answer["acknowledged"]

        first.kill()
        gone = await frame(watching, "presence")
        assert (gone["user"], gone["change"]) == (name, "gone")
        for number in (1, 2):
            await do(bob, "publish", **to, data=number)
        again = await stack.enter_async_context(node_socket(ann, ASKED))
        await again.frame("hello")
        await again.say(type="join", room="open lobby", after=answer["position"])
        assert (await again.of_room())["type"] == "joined"
        missed = [await again.of_room() for _ in range(2)]
        assert [each["data"] for each in missed] == [1, 2]
        replayed = await again.of_room()
        assert (replayed["type"], replayed["complete"]) == ("replayed", True)

        assert await do(bob, "remove", room="open lobby", user=name) == {}
        await do(bob, "publish", **to, data="not for ann")
        await do(bob, "publish", to={"user": name}, data="for ann")
        left = await again.of_room()
        assert (left["type"], left["reason"]) == ("left", "removed")
        assert (await again.frame("published"))["data"] == "for ann"
        await ann.request("POST", "/api/logout", {})
        await do(bob, "publish", to={"user": name}, data="too late")
        assert (await again.frame("ended"))["reason"] == "logout"
        closed = await again.next()
        assert (closed["type"], closed["code"]) == ("closed", CloseCode.SESSION_ENDED)


async def test_who_was_on_a_process_that_crashed_has_gone_a_few_leases_later(
    server: CurfewServer, people: People
) -> None:
    await do(await people.somebody(), "create", room="open deck", presence=True)
    there: list[tuple[str, ClientConnection]] = []
    async with AsyncExitStack() as stack:
        for slow in workers_of(server):
            with held_up(slow):
                for _ in range(SOCKETS):
                    person = await people.somebody()
                    (socket,) = await open_some(person, stack, 1)
                    there.append((await user_of(person), socket))
        for _, socket in there:
            await say(socket, type="join", room="open deck")
            await frame(socket, "joined")
        os.kill(workers_of(server)[0], signal.SIGKILL)
        lost = [(user, socket) for user, socket in there if await _is_lost(socket)]
        kept = [(user, socket) for user, socket in there if (user, socket) not in lost]
        assert lost
        assert kept
        for _, socket in kept:
            gone = {(await _gone(socket)) for _ in lost}
            assert gone == {user for user, _ in lost}


async def _is_lost(socket: ClientConnection) -> bool:
    """Return whether a socket broke; what it gets otherwise is read later."""
    try:
        await asyncio.wait_for(asyncio.shield(socket.wait_closed()), 0.3)
    except TimeoutError:
        return False
    assert (await end_of(socket)).code is None
    return True


async def _gone(socket: ClientConnection) -> str:
    """Return the next user who goes, as a socket hears of it."""
    while (told := await frame(socket, "presence"))["change"] != "gone":
        pass
    return str(told["user"])
