"""A socket does not outlive the idle deadline; only a person moves it."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.support.clients.people import People
from tests.support.clients.sockets import end_of, frame
from tests.support.servers.server import CurfewServer

IDLE_SECONDS = 1.5
LATE_SECONDS = 0.5
"""A busy machine may be late; a deadline that moved is at least IDLE_SECONDS / 2 later."""


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """With a short idle timeout."""
    with CurfewServer(idle_timeout=f"{IDLE_SECONDS}s", processes="2") as running:
        yield running


async def repeat(socket: ClientConnection, text: str) -> None:
    """Send the frame again and again, until the socket is closed."""
    try:
        while True:
            await socket.send(text)
            await asyncio.sleep(0.05)
    except ConnectionClosed:
        return


@pytest.mark.proves("A45", "7.3.1")
async def test_an_idle_socket_is_warned_told_and_closed_at_its_deadline(people: People) -> None:
    client = await people.somebody()
    async with client.open_socket() as socket:
        deadline = (await frame(socket, "hello"))["idle_expires_at"]
        warning = await frame(socket, "expiring")
        assert warning.keys() == {"type", "reason", "in_ms"}
        assert warning["reason"] == "idle_timeout"
        assert abs(time.time() + warning["in_ms"] / 1000 - deadline) < LATE_SECONDS
        end = await end_of(socket)
    assert -0.05 < time.time() - deadline < LATE_SECONDS
    assert (end.code, end.reason) == (4408, "idle_timeout")
    assert (end.last["type"], end.last["reason"]) == ("ended", "idle_timeout")
    answer = await client.request("GET", "/api/session")
    assert (answer.status_code, answer.json()["reason"]) == (401, "idle_timeout")


async def test_a_socket_that_comes_after_the_warning_is_warned_as_well(people: People) -> None:
    client = await people.somebody()
    async with client.open_socket() as first:
        deadline = (await frame(first, "hello"))["idle_expires_at"]
        await frame(first, "expiring")
        async with client.open_socket() as later:
            assert (await frame(later, "hello"))["idle_expires_at"] == deadline
            warning = await frame(later, "expiring")
            assert abs(time.time() + warning["in_ms"] / 1000 - deadline) < LATE_SECONDS
            end = await end_of(first)
        assert "expiring" not in {each["type"] for each in end.frames}


async def test_a_socket_that_comes_after_the_deadline_is_told_at_the_door(people: People) -> None:
    client = await people.somebody()
    async with client.open_socket() as socket:
        await end_of(socket)
    async with client.open_socket() as again:
        end = await end_of(again)
    assert (end.code, end.reason, len(end.frames)) == (4401, "idle_timeout", 1)


@pytest.mark.proves("A32")
@pytest.mark.parametrize("text", ['{"type":"ping"}', '{"type":"pong"}', "rubbish"])
async def test_what_a_machine_sends_does_not_extend_the_deadline(people: People, text: str) -> None:
    client = await people.somebody()
    async with client.open_socket() as socket:
        deadline = (await frame(socket, "hello"))["idle_expires_at"]
        sending = asyncio.create_task(repeat(socket, text))
        end = await end_of(socket)
        late = time.time() - deadline
        await sending
    assert (end.code, end.reason) == (4408, "idle_timeout")
    assert late < LATE_SECONDS
    assert len(end.frames) > 10


@pytest.mark.proves("A32")
async def test_pings_of_the_websocket_protocol_do_not_extend_the_deadline(people: People) -> None:
    client = await people.somebody()
    async with client.open_socket(ping_interval=0.05) as socket:
        deadline = (await frame(socket, "hello"))["idle_expires_at"]
        assert (await end_of(socket)).code == 4408
    assert time.time() - deadline < LATE_SECONDS


@pytest.mark.proves("A32")
async def test_what_the_server_pushes_does_not_extend_the_deadline(people: People) -> None:
    client = await people.somebody()
    other = await people.again(client)
    async with client.open_socket() as socket, other.open_socket() as busy:
        deadline = (await frame(socket, "hello"))["idle_expires_at"]
        sending = [
            asyncio.create_task(repeat(busy, '{"type":"activity"}')),
            asyncio.create_task(repeat(busy, '{"type":"message","data":1}')),
        ]
        end = await end_of(socket)
        late = time.time() - deadline
        await busy.close()
        await asyncio.gather(*sending)
    assert (end.code, end.reason) == (4408, "idle_timeout")
    assert late < LATE_SECONDS
    assert sum(each["type"] == "message" for each in end.frames) > 10


@pytest.mark.proves("A32")
async def test_coming_back_again_and_again_does_not_extend_the_deadline(people: People) -> None:
    client = await people.somebody()
    async with client.open_socket() as socket:
        deadline = (await frame(socket, "hello"))["idle_expires_at"]
        await frame(socket, "expiring")
        async with client.open_socket() as again:
            assert (await frame(again, "hello"))["idle_expires_at"] == deadline
        assert (await end_of(socket)).code == 4408
    assert time.time() - deadline < LATE_SECONDS


async def test_activity_keeps_the_session_alive_and_tells_all_its_sockets(people: People) -> None:
    client = await people.somebody()
    async with client.open_socket() as active, client.open_socket() as tab:
        first = (await frame(active, "hello"))["idle_expires_at"]
        for each in (active, tab):
            await frame(each, "expiring")
        await active.send('{"type":"activity"}')
        for each in (active, tab):
            told = await frame(each, "extended")
            assert told.keys() == {"type", "idle_expires_at", "absolute_expires_at"}
            assert told["idle_expires_at"] > first + IDLE_SECONDS / 2
        ends = await asyncio.gather(end_of(active), end_of(tab))
    assert abs(time.time() - told["idle_expires_at"]) < LATE_SECONDS
    assert [each.reason for each in ends] == ["idle_timeout"] * 2
    assert [each.frames[0]["type"] for each in ends] == ["expiring"] * 2


async def test_a_request_over_http_is_activity_too(people: People) -> None:
    client = await people.somebody()
    async with client.open_socket() as socket:
        await frame(socket, "expiring")
        answer = await client.request("GET", "/api/session")
        told = await frame(socket, "extended")
    expires_at = answer.json()["session"]["idle_expires_at"]
    assert told["idle_expires_at"] == expires_at
    assert expires_at > time.time() + IDLE_SECONDS / 2


async def test_activity_outlasts_several_idle_timeouts(people: People) -> None:
    client = await people.somebody()
    async with client.open_socket() as socket:
        first = (await frame(socket, "hello"))["idle_expires_at"]
        sending = asyncio.create_task(repeat(socket, '{"type":"activity"}'))
        while time.time() < first + IDLE_SECONDS:
            await socket.send('{"type":"ping"}')
            await frame(socket, "pong")
            await asyncio.sleep(0.05)
        await socket.close()
        await sending
