"""A socket does not outlive the absolute deadline; nothing moves it."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from tests.support.clients.people import People
from tests.support.clients.sockets import end_of, frame
from tests.support.servers.server import CurfewServer

ABSOLUTE_SECONDS = 2.0
LATE_SECONDS = 0.5


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """With a short absolute timeout."""
    with CurfewServer(absolute_timeout=f"{ABSOLUTE_SECONDS}s", touch_interval="10ms") as running:
        yield running


@pytest.mark.proves("A33", "A45", "7.3.2")
async def test_neither_activity_nor_rotation_moves_the_absolute_deadline(people: People) -> None:
    client = await people.somebody()
    async with client.open_socket() as socket:
        hello = await frame(socket, "hello")
        deadline = hello["absolute_expires_at"]
        assert hello["idle_expires_at"] == deadline
        warning = await frame(socket, "expiring")
        assert warning["reason"] == "absolute_timeout"
        await socket.send('{"type":"activity"}')
        await client.request("POST", "/api/session/rotate")
        await client.request("GET", "/api/session")
        end = await end_of(socket)
    assert -0.05 < time.time() - deadline < LATE_SECONDS
    assert (end.code, end.reason) == (4408, "absolute_timeout")
    assert (end.last["type"], end.last["reason"]) == ("ended", "absolute_timeout")
    assert "extended" not in {each["type"] for each in end.frames}


async def test_all_sockets_of_the_session_close_together(people: People) -> None:
    client = await people.somebody()
    async with client.open_socket() as one, client.open_socket() as two:
        ends = await asyncio.gather(end_of(one), end_of(two))
    assert [each.code for each in ends] == [4408, 4408]
    assert ends[0].last == ends[1].last


async def test_the_list_and_the_other_sessions_hear_of_it(people: People) -> None:
    client = await people.somebody()
    async with client.open_socket() as dying:
        await frame(dying, "expiring")
        other = await people.again(client)
        async with other.open_socket() as watching:
            await end_of(dying)
            await frame(watching, "sessions")
            listed = (await other.request("GET", "/api/sessions")).json()["sessions"]
    assert [each["id"] for each in listed] == [other.sid]
