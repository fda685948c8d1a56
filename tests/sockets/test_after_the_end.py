"""Once the end of a session is known, nothing of it is processed and nothing reaches it."""

import asyncio
import itertools
import json
import time
from collections.abc import Iterator

import pytest
from websockets.asyncio.client import ClientConnection

from tests.support.clients.client import Client
from tests.support.clients.people import People
from tests.support.clients.sockets import CLOSE, TEXT, RawSocket, end_of, frame, raw_socket
from tests.support.running.processes import eventually
from tests.support.servers.server import HASTY, CurfewServer

TORNADO_WAITS_SECONDS = 5
"""For the answer to a close frame."""


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """Without limits of frames."""
    with CurfewServer(script=HASTY, processes="2") as running:
        yield running


@pytest.mark.proves("A47")
async def test_what_is_sent_right_behind_a_logout_reaches_nobody(people: People) -> None:
    client = await people.somebody()
    other = await people.again(client)
    sent: list[int] = []
    received: list[int] = []
    async with raw_socket(client) as sender, other.open_socket() as receiver:
        await frame(receiver, "hello")
        flood = asyncio.create_task(send_numbers(sender, sent))
        reading = asyncio.create_task(collect_numbers(receiver, received))
        await asyncio.to_thread(eventually, lambda: len(received) >= 50)

        receipt = (await client.request("POST", "/api/logout")).json()
        sent_at_receipt = len(sent)
        await flood  # until the connection is cut

        reading.cancel()
    assert (receipt["state"], receipt["sockets_closed"]) == ("complete", 1)
    assert len(sent) > sent_at_receipt + 100
    assert received == list(range(len(received)))
    assert 50 <= len(received) <= sent_at_receipt


@pytest.mark.proves("A47")
async def test_nothing_follows_ended_but_the_close_frame(people: People) -> None:
    client = await people.somebody()
    other = await people.again(client)
    async with raw_socket(client) as slow, other.open_socket() as busy:
        await slow.types_until("hello")
        flood = asyncio.create_task(flood_with(busy))
        await slow.types_until("message")
        await client.request("POST", "/api/logout")
        frames, code = await slow.until_close()
        after = asyncio.create_task(slow.receive())
        await asyncio.wait([after], timeout=0.5)
        assert not after.done()
        after.cancel()
        flood.cancel()
    assert (frames[-1]["type"], code) == ("ended", 4401)
    assert "ended" not in {each["type"] for each in frames[:-1]}


@pytest.mark.proves("A47")
async def test_frames_sent_after_ended_are_not_answered(people: People) -> None:
    client = await people.somebody()
    async with raw_socket(client) as socket:
        await socket.types_until("hello")
        await client.request("POST", "/api/logout")
        await socket.until_close()
        for payload in (b'{"type":"ping"}', b'{"type":"activity"}', b"rubbish"):
            await socket.send(TEXT, payload)
        await socket.send(CLOSE, b"\x11\x31")
        async with asyncio.timeout(1):
            assert await socket.until_cut()


async def test_a_peer_that_does_not_answer_the_close_frame_is_cut(people: People) -> None:
    client = await people.somebody()
    async with raw_socket(client) as socket:
        await socket.types_until("hello")
        await client.request("POST", "/api/logout")
        await socket.until_close()
        started = time.monotonic()
        await socket.until_cut()
    assert TORNADO_WAITS_SECONDS - 1 < time.monotonic() - started < TORNADO_WAITS_SECONDS + 3


@pytest.mark.proves("A47")
async def test_activity_behind_a_logout_brings_nothing_back(people: People) -> None:
    client = await people.somebody()
    async with raw_socket(client) as socket:
        await socket.types_until("hello")
        ending = asyncio.create_task(client.request("POST", "/api/logout", keep=False))
        for _ in range(200):
            await socket.send(TEXT, b'{"type":"activity"}')
        await ending
        for _ in range(200):
            await socket.send(TEXT, b'{"type":"activity"}')
        _, code = await socket.until_close()
    assert code == 4401
    answer = await client.request("GET", "/api/session")
    assert (answer.status_code, answer.json()["reason"]) == (401, "logout")


@pytest.mark.proves("A44")
async def test_sockets_that_open_while_the_session_ends_all_learn_of_it(people: People) -> None:
    """Whatever the moment: before the check, between the checks, or after `hello`."""
    client = await people.somebody()
    opening = [asyncio.create_task(reason_told(client)) for _ in range(40)]
    await asyncio.sleep(0.02)
    receipt = (await client.request("POST", "/api/logout", keep=False)).json()
    assert receipt["state"] == "complete"
    assert set(await asyncio.gather(*opening)) == {"logout"}


async def reason_told(client: Client) -> str | None:
    """Open a socket and read to its end; the reason it is given, in frame and close frame."""
    async with client.open_socket() as socket:
        end = await end_of(socket)
    assert (end.code, end.reason) == (4401, end.last["reason"])
    return end.reason


async def send_numbers(socket: RawSocket, sent: list[int]) -> None:
    """Send numbers as messages until the connection is cut."""
    for number in itertools.count():
        try:
            await socket.send(TEXT, json.dumps({"type": "message", "data": number}).encode())
        except ConnectionError:
            return
        sent.append(number)
        await asyncio.sleep(0.002)


async def collect_numbers(socket: ClientConnection, received: list[int]) -> None:
    """Note the data of each message."""
    while True:
        received.append((await frame(socket, "message"))["data"])


async def flood_with(socket: ClientConnection) -> None:
    """Send messages until cancelled."""
    while True:
        await socket.send('{"type":"message","data":"one of many"}')
        await asyncio.sleep(0.0005)
