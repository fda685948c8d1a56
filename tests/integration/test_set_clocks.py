"""A store whose clock is set: what a receipt says stays true, and receipts come as before."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from websockets.asyncio.client import ClientConnection

from server.store.control_log import REPLIES_TTL
from tests.support.clients.client import Client, frame
from tests.support.clients.people import People, people_of
from tests.support.clients.sockets import end_of
from tests.support.engine.keys import KEY, text_of
from tests.support.running.processes import eventually
from tests.support.servers.server import CurfewServer
from tests.support.servers.stepped_clock import SteppedValkey

ALL: Final = {"acked": 2, "lease_expired": 0, "waiting": 0}
STEP: Final = "the store's clock was set"
A_DAY: Final = 86_400
A_MINUTE: Final = int(REPLIES_TTL.total_seconds()) + 1


@pytest.fixture(scope="module")
def valkey() -> Iterator[SteppedValkey]:
    """The store."""
    with SteppedValkey() as running:
        yield running


@pytest.fixture(scope="module")
def servers(valkey: SteppedValkey) -> Iterator[tuple[CurfewServer, CurfewServer]]:
    """Two servers on it."""
    shared = {"store_url": valkey.url, "secret_keys": text_of(KEY)}
    with CurfewServer(**shared) as one, CurfewServer(**shared) as two:  # type: ignore[arg-type]  # all are texts
        yield one, two


@pytest.fixture(autouse=True)
def right_clock(valkey: SteppedValkey) -> Iterator[None]:
    """Set the clock right after each test."""
    yield
    valkey.set_clock(0)


@pytest.fixture
async def people(servers: tuple[CurfewServer, CurfewServer]) -> AsyncIterator[People]:
    """Opens browsers on the first server."""
    async with people_of(servers[0].url) as people:
        yield people


@asynccontextmanager
async def on_both(
    client: Client, servers: tuple[CurfewServer, CurfewServer]
) -> AsyncIterator[list[ClientConnection]]:
    """A socket of a client's session on each server."""
    async with Client(servers[1].url) as there:
        there.cookie = client.cookie
        async with client.open_socket() as here, there.open_socket() as other:
            for socket in (here, other):
                await frame(socket, "hello")
            yield [here, other]


async def log_out(client: Client) -> dict[str, Any]:
    """The receipt."""
    answer = await client.request("POST", "/api/logout")
    receipt: dict[str, Any] = answer.json()
    return receipt


@pytest.mark.proves("A98")
@pytest.mark.parametrize("seconds", [120, 600, -120])
async def test_a_logout_right_after_a_step_is_confirmed_by_every_node(
    valkey: SteppedValkey,
    servers: tuple[CurfewServer, CurfewServer],
    people: People,
    seconds: int,
) -> None:
    client = await people.somebody()
    async with on_both(client, servers) as sockets:
        valkey.set_clock(seconds)
        receipt = await log_out(client)
        ends = await asyncio.gather(*map(end_of, sockets))
    assert (receipt["state"], receipt["nodes"]) == ("complete", ALL)
    assert receipt["sockets_closed"] == 2
    assert {(each.code, each.reason) for each in ends} == {(4401, "logout")}


async def test_sockets_of_sessions_that_a_step_ended_are_closed_at_once(
    valkey: SteppedValkey, servers: tuple[CurfewServer, CurfewServer], people: People
) -> None:
    async with on_both(await people.somebody(), servers) as sockets:
        valkey.set_clock(A_DAY)
        ends = await asyncio.gather(*map(end_of, sockets))
    assert {each.code for each in ends} == {4401}


@pytest.mark.proves("A98")
async def test_receipts_come_as_before_when_a_clock_that_was_ahead_is_set_right(
    valkey: SteppedValkey, servers: tuple[CurfewServer, CurfewServer], people: People
) -> None:
    """The stream of replies expires while the clock is ahead; the next one's ids are below it."""
    for seconds in (600, 600 + A_MINUTE, 600 + 2 * A_MINUTE, 0):
        steps = [server.log.count(STEP) for server in servers]
        valkey.set_clock(seconds)
        receipts = [await log_out(await people.somebody()) for _ in range(3)]
        assert [each["nodes"] for each in receipts] == [ALL] * 3
        assert {each["state"] for each in receipts} == {"complete"}
        for server, before in zip(servers, steps, strict=True):
            await asyncio.to_thread(eventually, lambda: server.log.count(STEP) > before)  # noqa: B023 - it is waited for
