"""A process that stops sends its sockets to the others, in their own time, and ends its work."""

import asyncio
import os
import re
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection

from tests.support.clients.client import Client, frame
from tests.support.clients.people import People
from tests.support.clients.sockets import End, end_of
from tests.support.running.processes import eventually
from tests.support.servers.server import CurfewServer
from tests.support.servers.workers import workers_of

pytestmark = [pytest.mark.chaos, pytest.mark.alone]

PEOPLE = 20
"""A person may have no more than 64 sockets in one session."""
SOCKETS = 1_000
AT_ONCE = 50
SLOW_REQUESTS = 12
"""The kernel deals them to the processes as it likes; one that got any is stopped."""
WINDOW_MS = 5_000
STOPS_WITHIN = 25.0
"""The 10 s of requests under way and the 6 s of closes that a worker allows itself, and slack."""

PATIENCE = 90.0
_BEGUN = re.compile(r"slow in (\d+)")


@pytest.fixture
def server() -> Iterator[CurfewServer]:
    """Two processes, and an address that takes its time."""
    script = Path(__file__).with_name("slow_run.py")
    with CurfewServer(script=script, processes="2") as running:
        eventually(lambda: len(workers_of(running)) == 2)
        yield running


@asynccontextmanager
async def open_sockets(clients: list[Client], number: int) -> AsyncIterator[list[ClientConnection]]:
    """So many sockets, dealt to the clients."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def open_one(client: Client) -> ClientConnection:
        async with limit:
            socket = await client.open_socket(open_timeout=20)
            await frame(socket, "hello")
            return socket

    turns = (clients[each % len(clients)] for each in range(number))
    sockets = await asyncio.gather(*map(open_one, turns))
    try:
        yield sockets
    finally:
        await asyncio.gather(*(each.close() for each in sockets))


@pytest.mark.proves("A100b")
async def test_a_stopping_process_sends_its_sockets_to_the_other_and_finishes_its_requests(
    server: CurfewServer, people: People
) -> None:
    clients = [await people.somebody() for _ in range(PEOPLE)]
    async with open_sockets(clients, SOCKETS) as sockets:
        slow = [asyncio.create_task(clients[0].http.get("/slow")) for _ in range(SLOW_REQUESTS)]
        victim = await asyncio.to_thread(_busiest, server)
        others = {each for each in workers_of(server) if each != victim}
        ends = [asyncio.create_task(end_of(each, PATIENCE)) for each in sockets]
        os.kill(victim, signal.SIGTERM)

        answers = await asyncio.gather(*slow)
        assert {each.status_code for each in answers} == {200}
        assert {victim} <= {each.json()["pid"] for each in answers} <= {victim, *others}

        await asyncio.to_thread(eventually, lambda: _has_replaced(server, victim))
        drained = [each for each in ends if each.done()]
        assert SOCKETS // 10 < len(drained) < SOCKETS
        _check_drained([each.result() for each in drained])
        async with open_sockets(clients, len(drained)):
            pass
        for client in clients:
            assert (await client.request("GET", "/api/session")).status_code == 200
        assert not any(each.done() for each in ends if each not in drained)
        await _stop(server, [each for each in ends if each not in drained])


async def _stop(server: CurfewServer, ends: list[asyncio.Task[End]]) -> None:
    """Stop the whole server: the sockets that are left are drained too."""
    began = time.monotonic()
    assert await asyncio.to_thread(server.stop) == 0
    assert time.monotonic() - began < STOPS_WITHIN
    _check_drained(await asyncio.gather(*ends))


def _check_drained(ends: list[End]) -> None:
    """Each was told a moment of its own, and they are spread over the whole window."""
    assert {(each.code, each.reason) for each in ends} == {(1012, "drain")}
    assert {each.last["type"] for each in ends} == {"drain"}
    waits = [each.last["reconnect_in_ms"] for each in ends]
    assert all(0 <= wait < WINDOW_MS for wait in waits)
    quarters = Counter(4 * wait // WINDOW_MS for wait in waits)
    # An even spread puts a quarter of them into each; an eighth is fifteen deviations away.
    assert min(quarters[each] for each in range(4)) > len(ends) // 8, quarters


def _busiest(server: CurfewServer) -> int:
    """The process with most of the slow requests, once all of them are under way."""
    begun: list[str] = []

    def all_begun() -> bool:
        begun[:] = _BEGUN.findall(server.log)
        return len(begun) == SLOW_REQUESTS

    eventually(all_begun)
    return int(Counter(begun).most_common(1)[0][0])


def _has_replaced(server: CurfewServer, victim: int) -> bool:
    return len(found := workers_of(server)) == 2 and victim not in found
