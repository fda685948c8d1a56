"""Two uses of one code, recovery code or passkey at one moment, over two processes: one wins."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pyotp
import pytest

from tests.support.clients.authenticator import Authenticator
from tests.support.clients.client import PASSWORD, Client
from tests.support.servers.server import CurfewServer
from tests.support.servers.workers import workers_of

AT_ONCE = 8
SECOND_FACTOR = "/api/login/second-factor"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    with CurfewServer(processes="2") as running:
        assert len(workers_of(running)) == 2
        yield running


@pytest.fixture
async def browsers(server: CurfewServer) -> AsyncIterator[list[Client]]:
    """Browsers of one person, each with a connection of its own; the first is signed in."""
    url = server.url.replace("127.0.0.1", "localhost")
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(Client(url)) for _ in range(AT_ONCE + 1)]
        await clients[0].sign_up(f"racer-{next(_numbers)}")
        for client in clients[1:]:
            assert (await client.request("GET", "/api/session/data")).status_code == 200
        yield clients


async def user_of(client: Client) -> str:
    return str((await client.request("GET", "/api/session")).json()["session"]["user"])


async def owed(client: Client, user: str) -> str:
    body = {"username": user, "password": PASSWORD}
    answer = await client.request("POST", "/api/login", body)
    return str(answer.json()["challenge"])


async def add_app(client: Client) -> tuple[pyotp.TOTP, list[str]]:
    begun = (await client.request("POST", "/api/totp")).json()
    totp = pyotp.TOTP(begun["secret"])
    body = {"setup": begun["setup"], "code": totp.now()}
    added = await client.request("PUT", "/api/totp", body)
    assert added.status_code == 200, added.text
    return totp, added.json()["recovery_codes"]


async def all_at_once(clients: list[Client], path: str, body: Any) -> list[httpx.Response]:
    return await asyncio.gather(*(client.request("POST", path, body) for client in clients))


def winners(answers: list[httpx.Response]) -> int:
    """How many were let in; the others must have been refused."""
    seen = [answer.status_code for answer in answers]
    assert set(seen) <= {200, 401, 409, 429}, seen
    return seen.count(200)


@pytest.mark.proves("6.5.1")
async def test_of_many_uses_of_one_code_exactly_one_wins(browsers: list[Client]) -> None:
    first, *others = browsers
    user = await user_of(first)
    totp, _ = await add_app(first)
    challenge = await owed(first, user)
    body = {"challenge": challenge, "code": totp.at(int(time.time()) + 30)}
    assert winners(await all_at_once(others, SECOND_FACTOR, body)) == 1


@pytest.mark.proves("6.5.1")
async def test_of_many_uses_of_one_recovery_code_exactly_one_wins(browsers: list[Client]) -> None:
    first, *others = browsers
    user = await user_of(first)
    _, codes = await add_app(first)
    body = {"challenge": await owed(first, user), "code": codes[0]}
    assert winners(await all_at_once(others, SECOND_FACTOR, body)) == 1
    left = (await first.request("GET", "/api/factors")).json()["recovery_codes_left"]
    assert left == len(codes) - 1


async def test_of_many_uses_of_one_passkeys_answer_exactly_one_wins(
    browsers: list[Client],
) -> None:
    first, *others = browsers
    key = Authenticator(first.url, counts=False)  # as synced ones do: only the challenge is left
    options = (await first.request("POST", "/api/passkeys/options")).json()
    body = {"credential": key.make(options), "name": "key"}
    assert (await first.request("POST", "/api/passkeys", body)).status_code == 201
    options = (await others[0].request("POST", "/api/login/passkey/options", {})).json()
    answers = await all_at_once(others, "/api/login/passkey", {"credential": key.use(options)})
    assert winners(answers) == 1


async def test_every_wrong_code_of_many_at_once_is_counted(browsers: list[Client]) -> None:
    first, *others = browsers
    user = await user_of(first)
    totp, _ = await add_app(first)
    challenge = await owed(first, user)
    right = {totp.at(int(time.time()) + 30 * steps) for steps in range(-3, 4)}
    wrong = next(code for code in map("{:06d}".format, range(10)) if code not in right)
    body = {"challenge": challenge, "code": wrong}
    looked_at = 0
    for _ in range(2):
        answers = await all_at_once(others, SECOND_FACTOR, body)
        assert winners(answers) == 0
        looked_at += [answer.status_code for answer in answers].count(401)
    assert looked_at == 5


async def test_of_two_apps_set_up_at_once_one_is_kept(browsers: list[Client]) -> None:
    first = browsers[0]
    begun = [(await first.request("POST", "/api/totp")).json() for _ in range(2)]
    bodies = [
        {
            "setup": each["setup"],
            "code": pyotp.TOTP(each["secret"]).now(),
            "end_other_sessions": False,
        }
        for each in begun
    ]
    answers = await asyncio.gather(*(first.request("PUT", "/api/totp", body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) in ([200, 401], [200, 409])
