"""The store freezes, dies, loses links: nobody is signed out by it, and what ends in it ends."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import redis
from websockets.asyncio.client import ClientConnection

from tests.support.clients.client import PASSWORD, Client, set_cookie
from tests.support.clients.people import People, people_of, user_of
from tests.support.clients.sockets import RawSocket, end_of, frame
from tests.support.running.processes import eventually, processes_of
from tests.support.running.waiting import until
from tests.support.servers.server import CurfewServer
from tests.support.servers.valkey import ValkeyServer

ANSWER_WITHIN_SECONDS = 2.5
"""The two seconds within which a store that does not answer is noticed, and a busy machine."""


@pytest.fixture(scope="module")
def own_valkey() -> Iterator[ValkeyServer]:
    """A Valkey that may be frozen and killed, and keeps its data."""
    with ValkeyServer(appendonly="yes", appendfsync="always") as valkey:
        yield valkey


@pytest.fixture(scope="module")
def server(own_valkey: ValkeyServer) -> Iterator[CurfewServer]:
    """Runs on that Valkey."""
    with CurfewServer(store_url=own_valkey.url) as running:
        yield running


@pytest.fixture(autouse=True)
def calm_log(server: CurfewServer) -> Iterator[None]:
    """An outage is foreseen: it leaves warnings, no tracebacks."""
    before = len(server.log)
    yield
    written = server.log[before:]
    assert " ERROR " not in written, written
    assert "Traceback" not in written, written


@pytest.fixture
async def people(server: CurfewServer, own_valkey: ValkeyServer) -> AsyncIterator[People]:
    """Opens browsers on the server; leaves the store in order."""
    async with people_of(server.url) as people:
        yield people
    own_valkey.thaw()


async def refused_in_time(request: asyncio.Task[httpx.Response]) -> None:
    """The request is answered soon, with «come back», and leaves the browser's cookie alone."""
    started = time.monotonic()
    answer = await request
    assert time.monotonic() - started < ANSWER_WITHIN_SECONDS
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert set_cookie(answer) is None
    assert "Clear-Site-Data" not in answer.headers


def everything_of(client: Client, user: str) -> list[asyncio.Task[httpx.Response]]:
    """One request of each kind, all at once."""
    credentials = {"username": user, "password": PASSWORD}
    asked = [
        client.request("GET", "/api/session"),
        client.request("GET", "/api/sessions"),
        client.request("PATCH", "/api/session/data", {"a": 1}),
        client.request("POST", "/api/session/rotate"),
        client.request("POST", "/api/login", credentials),
        client.request("POST", "/api/logout"),
        client.request("GET", "/account"),
    ]
    return [asyncio.create_task(each) for each in asked]


async def is_served(client: Client) -> bool:
    """Whether the session is served again; unavailable is the only other answer there is."""
    answer = await client.request("GET", "/api/session")
    assert answer.status_code in {200, 503}
    return answer.status_code == 200


async def still_there(client: Client, *sockets: ClientConnection) -> None:
    """Check that the session and its sockets have outlived the outage."""
    await until(lambda: is_served(client))
    for each in sockets:
        await each.send('{"type":"ping"}')
        await frame(each, "pong")


@pytest.mark.proves("A95", "16.5.2", "16.5.3")
async def test_a_frozen_store_signs_nobody_out_and_sockets_stay(
    own_valkey: ValkeyServer, people: People
) -> None:
    client = await people.somebody()
    user = await user_of(client)
    async with client.open_socket() as socket:
        await frame(socket, "hello")
        own_valkey.freeze()
        for each in everything_of(client, user):
            await refused_in_time(each)
        assert (await client.request("GET", "/healthz")).status_code == 200
        own_valkey.thaw()
        await still_there(client, socket)

        await client.request("POST", "/api/logout")
        assert (await end_of(socket)).reason == "logout"


@pytest.mark.proves("A95", "16.5.2", "16.5.3")
async def test_a_socket_opened_during_an_outage_is_told_to_come_back(
    own_valkey: ValkeyServer, people: People
) -> None:
    client = await people.somebody()
    own_valkey.freeze()
    async with client.open_socket() as socket:
        end = await end_of(socket, ANSWER_WITHIN_SECONDS)
    assert (end.code, end.frames) == (4503, [])
    own_valkey.thaw()
    await still_there(client)
    async with client.open_socket() as again:
        await frame(again, "hello")


async def test_a_client_that_hangs_up_while_the_store_is_asked_does_no_harm(
    own_valkey: ValkeyServer, people: People
) -> None:
    client = await people.somebody()
    own_valkey.freeze()
    opening = asyncio.create_task(RawSocket.open(client))
    await asyncio.sleep(0.1)
    opening.cancel()
    await asyncio.wait([opening])
    await asyncio.sleep(0.1)
    own_valkey.thaw()
    async with client.open_socket() as socket:
        await still_there(client, socket)
        receipt = (await client.request("POST", "/api/logout")).json()
    assert receipt["sockets_closed"] == 1


@pytest.mark.proves("A95", "16.5.2", "16.5.3")
async def test_a_killed_store_comes_back_with_everybody_signed_in(
    own_valkey: ValkeyServer, people: People
) -> None:
    client = await people.somebody()
    user = await user_of(client)
    async with client.open_socket() as socket:
        await frame(socket, "hello")
        own_valkey.kill()
        for each in everything_of(client, user):
            await refused_in_time(each)
        own_valkey.start()
        await still_there(client, socket)

        other = await people.again(client)
        await other.request("DELETE", f"/api/sessions/{client.sid}")
        assert (await end_of(socket)).reason == "terminated"


async def test_what_ends_while_the_reading_link_is_cut_is_delivered_when_it_is_back(
    own_valkey: ValkeyServer, people: People
) -> None:
    clients = [await people.somebody() for _ in range(5)]
    sockets = [await each.open_socket() for each in clients]
    for each in sockets:
        await frame(each, "hello")
    with own_valkey.client() as control:
        for client, socket in zip(clients, sockets, strict=True):
            # Between two reads there is none to cut. The server waits a moment before the next.
            await asyncio.to_thread(eventually, lambda: cut_readers(control) == 1)
            receipt = (await client.request("POST", "/api/logout")).json()
            end = await end_of(socket)
            assert (end.code, end.reason) == (4401, "logout")
            assert end.last["event"] == receipt["event"]
            assert (receipt["state"], receipt["sockets_closed"]) == ("complete", 1)


async def test_the_embedded_store_comes_back_by_itself_with_the_same_sessions() -> None:
    with CurfewServer() as server:
        async with people_of(server.url) as people:
            client = await people.somebody()
            async with client.open_socket() as socket:
                await frame(socket, "hello")
                (valkey,) = processes_of(server.data_dir, "valkey-server")
                os.kill(valkey, signal.SIGKILL)
                await asyncio.to_thread(
                    eventually,
                    lambda: processes_of(server.data_dir, "valkey-server") not in ([], [valkey]),
                )
                await still_there(client, socket)
                await client.request("POST", "/api/logout")
                assert (await end_of(socket)).reason == "logout"


def cut_readers(control: redis.Redis) -> int:
    """Cut the connections on which nodes read the control stream, and no others; how many."""
    reading = [each["id"] for each in control.client_list() if each["cmd"] == "xread"]
    for each in reading:
        control.client_kill_filter(_id=each)
    return len(reading)
