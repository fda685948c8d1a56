"""What one client may send and open: over it, the client is told, closed, and counted."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress

import pytest
from websockets.exceptions import ConnectionClosed

from server.core.limits import LIMITS
from tests.support.clients.client import Client
from tests.support.clients.people import People
from tests.support.clients.sockets import (
    BINARY,
    PING,
    PONG,
    TEXT,
    RawSocket,
    end_of,
    frame,
    frames_of,
    raw_frame,
    raw_socket,
)
from tests.support.running.waiting import until
from tests.support.servers.server import CurfewServer

TORNADO_WAITS_SECONDS = 5
"""For the answer to a close frame."""
MESSAGES, FRAMES, OPENINGS = LIMITS.messages.burst, LIMITS.frames.burst, LIMITS.openings.burst
FLOODS = {
    "ping frames": raw_frame(TEXT, b'{"type":"ping"}'),
    "activity": raw_frame(TEXT, b'{"type":"activity"}'),
    "rubbish": raw_frame(TEXT, b"rubbish"),
    "empty text": raw_frame(TEXT, b""),
    "empty binary": raw_frame(BINARY, b""),
    "pings": raw_frame(PING, b""),
    "long pings": raw_frame(PING, b"x" * 125),
    "pongs": raw_frame(PONG, b""),
}
TOLD = {"type": "error", "code": "rate", "detail": "Too many frames in too short a time."}


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """One process: each counts for itself."""
    with CurfewServer() as running:
        yield running


@pytest.fixture(autouse=True)
def counted(server: CurfewServer) -> Iterator[None]:
    """Whatever is closed for a limit leaves a line in the audit trail."""
    before = server.log.count("excess_rate_limit_exceeded")
    yield
    assert server.log.count("excess_rate_limit_exceeded") > before


async def closes(client: Client, code: int, reason: str) -> float:
    """How many sockets the server has closed so."""
    metrics = (await client.request("GET", "/metrics")).text
    found = re.search(
        rf'curfew_socket_closes_total{{code="{code}",node="[^"]+",reason="{reason}"}} ([\d.]+)',
        metrics,
    )
    return float(found[1]) if found else 0.0


@pytest.mark.proves("A52", "2.4.1")
async def test_more_messages_than_allowed_are_not_delivered_and_close_with_1008(
    people: People,
) -> None:
    client = await people.somebody()
    before = await closes(client, 1008, "rate")
    async with client.open_socket() as sender, client.open_socket() as tab:
        await frame(tab, "hello")
        for number in range(2 * MESSAGES):
            await sender.send(f'{{"type":"message","data":{number}}}')
        end = await end_of(sender)
        heard = [each["data"] for each in await frames_of(tab) if each["type"] == "message"]
        await tab.send('{"type":"ping"}')
        await frame(tab, "pong")
    assert (end.code, end.reason, end.last) == (1008, "rate", TOLD)
    assert heard == list(range(len(heard)))
    assert MESSAGES <= len(heard) < 1.5 * MESSAGES
    assert await closes(client, 1008, "rate") == before + 1


@pytest.mark.proves("A52")
@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS.keys())
async def test_a_flood_of_frames_of_any_kind_closes_with_1008(people: People, flood: bytes) -> None:
    client = await people.somebody()
    async with raw_socket(client) as socket:
        await socket.types_until("hello")
        await socket.write(flood * (3 * FRAMES))
        frames, code = await socket.until_close()
    assert (code, frames[-1]) == (1008, TOLD)


@pytest.mark.proves("A49")
@pytest.mark.parametrize("part", [b"x", b""])
async def test_ten_thousand_fragments_close_with_1008(people: People, part: bytes) -> None:
    client = await people.somebody()
    async with raw_socket(client) as socket:
        fragments = raw_frame(0x0, part, final=False) * 10_000
        await socket.write(raw_frame(TEXT, part, final=False) + fragments)
        frames, code = await socket.until_close()
    assert (code, frames[-1]) == (1008, TOLD)


@pytest.mark.proves("A52")
async def test_who_goes_on_flooding_behind_the_close_frame_is_cut(people: People) -> None:
    client = await people.somebody()
    async with raw_socket(client) as socket:
        flood = raw_frame(PING, b"") * 1_000
        async with asyncio.timeout(TORNADO_WAITS_SECONDS - 1):
            while not await socket.is_cut():
                await send(socket, flood)


@pytest.mark.proves("A52")
async def test_a_session_has_so_many_sockets_and_the_next_is_told_to_come_later(
    people: People,
) -> None:
    client = await people.somebody()
    before = await closes(client, 1013, "too_many_sockets")
    async with AsyncExitStack() as stack:
        sockets = await opened(stack, client, LIMITS.sockets_per_session)
        await refused(client, "too_many_sockets")
        assert await closes(client, 1013, "too_many_sockets") == before + 1
        await sockets[0].close()
        await until(lambda: lets_in(client))


@pytest.mark.proves("A52")
async def test_a_user_has_so_many_sockets_over_all_sessions(people: People) -> None:
    owner = await people.somebody()
    other, third = await people.again(owner), await people.again(owner)
    stranger = await people.somebody()
    async with AsyncExitStack() as stack:
        await opened(stack, owner, LIMITS.sockets_per_session)
        await opened(stack, other, LIMITS.sockets_per_user - LIMITS.sockets_per_session)
        for each in (owner, other, third):
            await refused(each, "too_many_sockets")
        assert await lets_in(stranger)


@pytest.mark.proves("A52")
async def test_who_opens_and_closes_without_end_is_told_to_come_later(people: People) -> None:
    client, stranger = await people.somebody(), await people.somebody()
    other = await people.again(client)
    number = 0
    while await lets_in((client, other)[number % 2]):
        number += 1
    assert OPENINGS <= number < 2 * OPENINGS
    await refused(other, "too_many_openings")
    assert await lets_in(stranger)
    assert (await client.request("GET", "/api/session")).status_code == 200


async def opened(stack: AsyncExitStack, client: Client, number: int) -> list[RawSocket]:
    """So many open sockets, all let in. They read no further."""
    sockets = [await stack.enter_async_context(raw_socket(client)) for _ in range(number)]
    for each in sockets:
        await each.types_until("hello")
    return sockets


async def refused(client: Client, reason: str) -> None:
    """The next socket is accepted, closed with 1013 and the reason, and told nothing else."""
    async with client.open_socket() as socket:
        end = await end_of(socket)
    assert (end.code, end.reason, end.frames) == (1013, reason, [])


async def lets_in(client: Client) -> bool:
    """Whether the next socket hears `hello`."""
    async with client.open_socket() as socket:
        try:
            await frame(socket, "hello")
        except ConnectionClosed:
            return False
        return True


async def send(socket: RawSocket, data: bytes) -> None:
    """Send, also to nobody."""
    with suppress(ConnectionError):
        await socket.write(data)
