"""The same races as a browser's tabs run them: over HTTP, on a server of two processes."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.support.clients.bursts import Answer, Burst
from tests.support.clients.client import PASSWORD, Client, set_cookie
from tests.support.servers.server import CurfewServer
from tests.support.servers.stores import Store, new_store

LIMIT = 8
ROTATION_SECONDS = 0.3


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with new_store() as running:
        yield running


@pytest.fixture(scope="module")
def server(store: Store) -> Iterator[CurfewServer]:
    with CurfewServer(
        processes="2",
        store_url=store.url,
        rotation_interval=f"{ROTATION_SECONDS * 1000:g}ms",
        max_sessions_per_user=str(LIMIT),
    ) as running:
        yield running


@pytest.fixture
def connection_limits(server: CurfewServer) -> Burst:
    """Many connections at once; the kernel deals them to both processes."""
    return Burst(server.port)


@pytest.fixture
async def people(server: CurfewServer) -> AsyncIterator[list[Client]]:
    """As many browsers as a user may have, none signed in yet."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Client(server.url)) for _ in range(LIMIT)]


def statuses(answers: list[Answer]) -> set[int]:
    """Which there were."""
    return {each.status for each in answers}


def sessions_in(store: Store) -> set[bytes]:
    """Everybody's records and lists, and visitors' records."""
    with store.client() as raw:
        found = [raw.scan_iter(f"curfew:{{*}}:{kind}:*") for kind in ("session", "user")]
        return {key for keys in found for key in keys}


@pytest.mark.proves("A20")
async def test_200_requests_at_the_instant_of_rotation_are_handed_one_token(
    people: list[Client], connection_limits: Burst
) -> None:
    await people[0].sign_up("ann")
    for client in people[1:]:
        await client.sign_in("ann")
    await asyncio.sleep(ROTATION_SECONDS)
    for client in people:
        answers = await connection_limits.send(client, [("GET", "/api/session", None)] * 200)
        assert statuses(answers) == {200}
        assert len({each.token for each in answers}) == 1
        assert {each.body["session"]["generation"] for each in answers} == {1}
        previous = client.cookie
        assert set_cookie(await client.request("GET", "/api/session")) is not None
        answers = await connection_limits.send(client, [("GET", "/api/session", None)] * 100)
        assert {each.body["session"]["generation"] for each in answers} == {2}
        client.cookie = previous
        answers = await connection_limits.send(client, [("GET", "/api/session", None)] * 100)
        assert statuses(answers) == {200}
        assert {each.token for each in answers} == {None}


async def test_50_parallel_writers_of_their_own_keys_lose_none(
    people: list[Client], connection_limits: Burst
) -> None:
    await people[0].sign_up("bob")
    for client in people[1:]:
        await client.sign_in("bob")
    for client in people:
        keys = [f"key {number}" for number in range(50)]
        requests = [("PATCH", "/api/session/data", {key: key}) for key in keys]
        answers = await connection_limits.send(client, requests)
        assert statuses(answers) == {200}
        data = (await client.request("GET", "/api/session/data")).json()
        assert data == {key: key for key in keys}


@pytest.mark.proves("A31", "A23", "7.4.1")
async def test_nothing_that_is_written_after_a_logout_revives_or_begins_a_session(
    people: list[Client], connection_limits: Burst, store: Store
) -> None:
    credentials = {"username": "cat", "password": PASSWORD}
    await people[0].request("POST", "/api/signup", credentials)
    before = sessions_in(store)
    for _ in range(3):
        for client in people:
            await client.sign_in("cat")
            patch: tuple[str, str, Any] = ("PATCH", "/api/session/data", {"slow": "x" * 10_000})
            requests = [patch] * 60
            place = random.randrange(60)  # noqa: S311 - an order, no secret
            requests[place] = ("POST", "/api/logout", None)
            answers = await connection_limits.send(client, requests)
            assert answers.pop(place).status == 200
            assert statuses(answers) <= {200, 401}
            late = [each for each in answers if each.status == 401]
            assert {each.token for each in late} <= {None}
            assert {each.body["reason"] for each in late} <= {"logout"}
            again = await connection_limits.send(client, [patch, ("GET", "/api/session", None)])
            assert [(each.status, each.token) for each in again] == [(401, None)] * 2
    assert sessions_in(store) == before


@pytest.mark.proves("A39", "7.1.2")
async def test_the_limit_is_exact_when_people_sign_in_together(
    people: list[Client], server: CurfewServer
) -> None:
    await people[0].sign_up("dan")
    for client in people[1:]:
        await client.sign_in("dan")
    async with AsyncExitStack() as stack:
        more = [await stack.enter_async_context(Client(server.url)) for _ in range(10)]
        await asyncio.gather(*(client.sign_in("dan", PASSWORD) for client in more))
        answers = await asyncio.gather(
            *(client.request("GET", "/api/session") for client in [*people, *more])
        )
        live = [each for each in answers if each.status_code == 200]
        assert len(live) == LIMIT
        reasons = {each.json()["reason"] for each in answers if each.status_code != 200}
        assert reasons == {"session_limit"}
