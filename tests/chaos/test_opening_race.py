"""Sockets that open while their session ends: none stays, and none hears what came after."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from websockets.asyncio.client import ClientConnection

from tests.support.clients.client import Client, frame
from tests.support.clients.people import People
from tests.support.clients.sockets import End, end_of
from tests.support.servers.server import HASTY, CurfewServer

pytestmark = [pytest.mark.chaos, pytest.mark.alone]

SOCKETS = 2_000
AT_ONCE = 40
"""Opened with one cookie, together; more would measure how fast this process shakes hands."""
ALIVE_FOR = 1.0
"""Seconds after the end, or after the handshake if that took longer."""
SEND_EVERY = 0.004


@dataclass(frozen=True)
class Opened:
    """One socket: how it ended, and how long after it could."""

    end: End
    alive: float


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """Two processes: half of the ends come from the other one."""
    with CurfewServer(script=HASTY, processes="2") as running:
        yield running


@pytest.mark.proves("A43", "A44", "7.4.1")
async def test_sockets_that_open_around_the_end_of_their_session_all_hear_of_it_and_close(
    people: People,
) -> None:
    owner = await people.somebody()
    heard = 0
    async with owner.open_socket() as socket:
        await frame(socket, "hello")
        async with sending(socket):
            for _ in range(SOCKETS // AT_ONCE):
                doomed = await people.again(owner)
                ended_at, opened = await _race(doomed)
                heard += sum(map(len, (_messages(each.end) for each in opened)))
                _check(ended_at, opened)
    assert heard > SOCKETS // 20, "the race was always over before anything was sent"


async def _race(doomed: Client) -> tuple[float, list[Opened]]:
    """Open the sockets, and end their session at some moment around their handshakes."""
    began, done = time.time(), asyncio.get_running_loop().create_future()
    opening = [asyncio.create_task(_open(doomed, done)) for _ in range(AT_ONCE)]
    await asyncio.sleep(random.uniform(0, 0.15))  # noqa: S311 - a moment, no secret
    answer = await doomed.request("POST", "/api/logout", keep=False)
    assert answer.json()["state"] == "complete"
    done.set_result(time.time())
    opened = await asyncio.gather(*opening)
    ended_at = {each.end.last["at"] for each in opened}
    assert len(ended_at) == 1, "two moments of one end"
    (at,) = ended_at
    assert began <= at <= done.result()
    return at, opened


async def _open(doomed: Client, done: asyncio.Future[float]) -> Opened:
    async with doomed.open_socket(open_timeout=20) as socket:
        open_at = time.time()
        end = await end_of(socket)
        closed_at = time.time()
    return Opened(end, closed_at - max(open_at, await done))


def _check(ended_at: float, opened: list[Opened]) -> None:
    for each in opened:
        assert (each.end.code, each.end.reason) == (4401, "logout")
        assert each.end.last["type"] == "ended"
        assert each.end.last["reason"] == "logout"
        assert each.alive < ALIVE_FOR
        late = [sent - ended_at for sent in _messages(each.end) if sent > ended_at]
        assert not late, f"heard what was sent {late} s after the end"


def _messages(end: End) -> list[float]:
    """When the messages that a socket heard were sent."""
    return [each["data"]["sent"] for each in end.frames if each["type"] == "message"]


@asynccontextmanager
async def sending(socket: ClientConnection) -> AsyncIterator[None]:
    """Send messages all the time, each with its moment, and none before the last one was read."""
    was_read = asyncio.Event()

    async def send() -> None:
        while True:
            data = {"sent": time.time()}
            await socket.send(json.dumps({"type": "message", "data": data}))
            await socket.send('{"type":"ping"}')
            await was_read.wait()
            was_read.clear()
            await asyncio.sleep(SEND_EVERY)

    async def hear() -> None:
        async for text in socket:
            if json.loads(text)["type"] == "pong":
                was_read.set()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(send()), group.create_task(hear())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
