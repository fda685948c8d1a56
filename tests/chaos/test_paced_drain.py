"""Many sockets of a node that stops move to the others in turns; a crowd stops nobody."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack
from itertools import pairwise
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus

from tests.support.clients.client import Client, frame
from tests.support.clients.people import People, people_of
from tests.support.clients.sockets import end_of
from tests.support.servers.server import CurfewServer
from tests.support.servers.valkey import ValkeyServer

pytestmark = [pytest.mark.chaos, pytest.mark.waits]

SOCKETS = 60
RATE = 4
"""Sockets in a second: 20 of them every five seconds."""
WINDOW = 5.0


@pytest.fixture
def nodes(valkey: ValkeyServer) -> Iterator[tuple[CurfewServer, CurfewServer]]:
    """One that will stop, and one that stays."""
    valkey.flush()
    with ExitStack() as stack:
        common: dict[str, Any] = {"store_url": valkey.url, "drain_rate": str(RATE)}
        one = stack.enter_context(CurfewServer(**common))
        keys = str(one.data_dir / "secret_keys")
        yield one, stack.enter_context(CurfewServer(secret_keys_file=keys, **common))


@pytest.fixture
async def people(nodes: tuple[CurfewServer, CurfewServer]) -> AsyncIterator[People]:
    async with people_of(nodes[0].url) as people:
        yield people


async def move(
    socket: ClientConnection, elsewhere: Client, stack: AsyncExitStack
) -> tuple[float, float]:
    """Come back as a client must; return when it lost its socket, and how long it was away."""
    end = await end_of(socket, 60)
    lost_at = time.monotonic()
    assert (end.code, end.reason, end.last["type"]) == (1012, "drain", "drain")
    wait = end.last["reconnect_in_ms"] / 1000
    assert wait < WINDOW
    await asyncio.sleep(wait)
    again = await stack.enter_async_context(elsewhere.open_socket())
    await frame(again, "hello")
    return lost_at, time.monotonic() - lost_at


async def test_sockets_move_in_turns_and_nobody_is_away_for_long(
    nodes: tuple[CurfewServer, CurfewServer], people: People
) -> None:
    leaving, staying = nodes
    client = await people.somebody()
    async with AsyncExitStack() as stack:
        elsewhere = await stack.enter_async_context(Client(staying.url))
        elsewhere.cookie = client.cookie
        sockets = [await stack.enter_async_context(client.open_socket()) for _ in range(SOCKETS)]
        for each in sockets:
            await frame(each, "hello")
        moving = [asyncio.create_task(move(each, elsewhere, stack)) for each in sockets]
        assert await asyncio.to_thread(leaving.stop) == 0
        moved = await asyncio.gather(*moving)
        moments = sorted(lost_at for lost_at, _ in moved)
        turns = [moments[start : start + 20] for start in (0, 20, 40)]
        assert all(turn[-1] - turn[0] < WINDOW / 2 for turn in turns)
        assert all(after[0] - before[0] > WINDOW / 2 for before, after in pairwise(turns))
        assert max(away for _, away in moved) < WINDOW + 2


async def test_a_second_signal_ends_the_wait_at_once(
    nodes: tuple[CurfewServer, CurfewServer], people: People
) -> None:
    leaving, _ = nodes
    client = await people.somebody()
    async with AsyncExitStack() as stack:
        for _ in range(SOCKETS):
            await frame(await stack.enter_async_context(client.open_socket()), "hello")
        stopping = asyncio.create_task(asyncio.to_thread(leaving.stop))
        await asyncio.sleep(2)
        assert not stopping.done()
        began = time.monotonic()
        assert await asyncio.to_thread(leaving.stop) == 0
        assert await stopping == 0
        assert time.monotonic() - began < 4


async def test_a_crowd_is_told_to_come_back_before_its_sessions_are_looked_at() -> None:
    with CurfewServer(handshakes="4") as server:
        async with people_of(server.url) as people:
            client = await people.somebody()
            refused: list[int] = []

            async def open_one() -> None:
                while True:
                    try:
                        async with client.open_socket() as socket:
                            await frame(socket, "hello")
                            return
                    except InvalidStatus as error:
                        answer = error.response
                        assert answer.status_code == 503
                        assert b"/problems/unavailable" in (answer.body or b"")
                        refused.append(int(answer.headers["Retry-After"]))
                        await asyncio.sleep(0.05 * refused[-1])

            async with asyncio.timeout(60):
                await asyncio.gather(*(open_one() for _ in range(60)))
            assert refused
            assert set(refused) <= {1, 2, 3, 4, 5}
            async with httpx.AsyncClient(base_url=server.url) as http:
                text = (await http.get("/metrics")).text
            assert f'curfew_machine_handshakes_refused_total{{node="all"}} {len(refused)}.0' in text
            assert 'curfew_machine_handshakes{node="all"} 0.0' in text
            assert 'code="4503"' not in text
