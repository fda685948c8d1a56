"""A socket whose peer does not read costs a bounded amount of memory, and is closed."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from websockets.asyncio.client import ClientConnection

from tests.support.clients.client import Client
from tests.support.clients.people import People, sockets_of, until_sockets
from tests.support.clients.sockets import RawSocket, frame, raw_socket
from tests.support.running.waiting import until
from tests.support.servers.server import HASTY, CurfewServer
from tests.support.servers.workers import megabytes_of_workers

pytestmark = pytest.mark.alone

MESSAGE_BYTES = 60_000
MEGABYTES_FLOODED = 60
MEGABYTES_ALLOWED = 25
"""More than the queue, Tornado's buffer and the system's noise; much less than the flood."""


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """Without limits of frames."""
    with CurfewServer(script=HASTY) as running:
        yield running


@pytest.mark.proves("A51")
async def test_a_reader_that_falls_behind_is_closed_with_4508_and_may_come_back(
    people: People,
) -> None:
    client = await people.somebody()
    async with raw_socket(client) as slow, client.open_socket() as busy:
        await flood_until_dropped(client, busy, sockets=2)
        _, code = await slow.until_close()
        assert code == 4508
    async with client.open_socket() as again:
        await frame(again, "hello")


@pytest.mark.proves("A51")
async def test_a_peer_that_never_reads_again_is_cut(people: People) -> None:
    client = await people.somebody()
    async with raw_socket(client) as slow, client.open_socket() as busy:
        await flood_until_dropped(client, busy, sockets=2)
        await until(slow.is_cut)


@pytest.mark.proves("A51", "A52")
async def test_a_neighbour_that_reads_misses_nothing(people: People) -> None:
    client = await people.somebody()
    async with raw_socket(client), client.open_socket() as busy, client.open_socket() as tab:
        reading = asyncio.create_task(numbers_until(tab, "the end"))
        sent = await flood_until_dropped(client, busy, sockets=3)
        await busy.send('{"type":"message","data":["the end"]}')
        assert await reading == list(range(sent))


@pytest.mark.proves("A51")
async def test_memory_stays_bounded_however_much_is_sent(
    server: CurfewServer, people: People
) -> None:
    client = await people.somebody()
    slow = [await RawSocket.open(client) for _ in range(5)]
    async with client.open_socket() as busy:
        await until_sockets(client, 6)
        before = megabytes_of_workers(server)
        for number in range(MEGABYTES_FLOODED * 1_000_000 // MESSAGE_BYTES):
            await busy.send(large_message(number))
        await busy.send('{"type":"ping"}')
        await frame(busy, "pong")
        assert megabytes_of_workers(server) - before < MEGABYTES_ALLOWED
    for each in slow:
        await each.close()


def large_message(number: int) -> str:
    """A frame with a number and ballast."""
    return json.dumps({"type": "message", "data": [number, "x" * MESSAGE_BYTES]})


async def numbers_until(socket: ClientConnection, last: str) -> list[int]:
    """The numbers of all messages before the last one."""
    numbers = []
    while (data := (await frame(socket, "message"))["data"])[0] != last:
        numbers.append(data[0])
    return numbers


async def flood_until_dropped(client: Client, busy: ClientConnection, *, sockets: int) -> int:
    """Send large messages until one of so many sockets is off the list; how many messages."""
    await until_sockets(client, sockets)
    for sent in range(1, 1_000):
        await busy.send(large_message(sent - 1))
        if sent % 10 == 0 and await sockets_of(client) < sockets:
            return sent
    raise AssertionError("60 MB did not fill its queue")
