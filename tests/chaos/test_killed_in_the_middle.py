"""A process killed while it rotates and signs out: each session is as before or as after."""

import asyncio
import os
import random
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack

import httpx
import pytest

from tests.support.clients.client import Client, set_cookie
from tests.support.running.processes import eventually
from tests.support.servers.server import CurfewServer
from tests.support.servers.workers import workers_of

pytestmark = pytest.mark.chaos

KILLS = 3
MOST_KILLS = 15
"""As long as each came when everybody had been answered."""
VISITORS = 24
"""Half of them rotate and half log out, all at once."""

CHANCE = random.Random(os.urandom(8))  # noqa: S311 - a schedule is no secret


@pytest.mark.proves("A100b", "A22", "15.4.1")
async def test_every_session_is_as_before_or_as_after() -> None:
    with CurfewServer() as server:
        cut = 0
        async with AsyncExitStack() as stack:
            visitors = [Client(server.url) for _ in range(VISITORS)]
            for each in visitors:
                await stack.enter_async_context(each)
            kills = 0
            while kills < KILLS or (not cut and kills < MOST_KILLS):
                kills += 1
                await asyncio.gather(*map(begin, visitors))
                answers = await killed_among(server, visitors)
                cut += answers.count(None)
                rotating = zip(visitors[::2], answers[::2], strict=True)
                leaving = zip(visitors[1::2], answers[1::2], strict=True)
                await asyncio.gather(*(check_rotated_once(*each) for each in rotating))
                await asyncio.gather(*(check_in_or_out(*each) for each in leaving))
        assert 0 < cut < kills * VISITORS


async def begin(client: Client) -> None:
    """Give a browser a new session and an open connection."""
    client.cookie = client.csrf_token = ""
    assert (await client.request("PATCH", "/api/session/data", {"a": 1})).status_code == 200
    client.csrf_token = (await client.request("GET", "/api/session")).json()["csrf_token"]


async def killed_among(
    server: CurfewServer, visitors: Sequence[Client]
) -> Sequence[httpx.Response | None]:
    """Let all act, and kill the process after some of the answers; None for those that were cut."""
    paths = ["/api/session/rotate", "/api/logout"] * (len(visitors) // 2)
    (worker,) = await asyncio.to_thread(workers_of, server)
    left = CHANCE.randrange(1, len(visitors))

    async def act(client: Client, path: str) -> httpx.Response | None:
        nonlocal left
        try:
            answer = await client.request("POST", path, keep=False)
        except httpx.TransportError:
            return None
        left -= 1
        if left == 0:
            os.kill(worker, signal.SIGKILL)
        return answer

    answers = await asyncio.gather(*map(act, visitors, paths))
    await asyncio.to_thread(eventually, lambda: workers_of(server) not in ([], [worker]))
    return answers


async def check_rotated_once(client: Client, answer: httpx.Response | None) -> None:
    """The old token is served, and the successor is the one that was handed out, if it was."""
    handed = {set_cookie(answer)} if answer is not None else set()
    again = await client.request("POST", "/api/session/rotate", keep=False)
    assert (again.status_code, again.json()) == (200, {"generation": 2})
    tokens = {str(each).split("|")[4] for each in {*handed, set_cookie(again)}}
    assert len(tokens) == 1
    client.cookie = set_cookie(again) or ""
    assert (await client.request("GET", "/api/session/data")).json() == {"a": 1}


async def check_in_or_out(client: Client, answer: httpx.Response | None) -> None:
    """Out if it was told so; else in or out, and it stays that."""
    found = [await client.request("GET", "/api/session", keep=False) for _ in range(2)]
    told = {(each.status_code, each.json().get("reason")) for each in found}
    out, still_in = {(401, "logout")}, {(200, None)}
    assert told in ([out] if answer is not None else [out, still_in])
