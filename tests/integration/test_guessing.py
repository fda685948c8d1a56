"""Guessing on a server of two processes, from as many addresses as the guesser likes."""

import asyncio
import itertools
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest

from server.core.throttling import sign_in_tally
from server.crypto.keyring import Keyring
from server.store.scripts import Scripts
from server.store.try_counters import TryCounters
from settings import load_settings
from tests.support.clients.client import PASSWORD, Client
from tests.support.engine.store_client import open_store_client
from tests.support.running.processes import eventually
from tests.support.servers.server import CurfewServer
from tests.support.servers.workers import workers_of

WRONG = "eleven herons on the morning ferry"
HOME = "192.0.2.1"
THROTTLED = (429, "/problems/throttled")
WRONG_CREDENTIALS = (401, "/problems/wrong-credentials")


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """Two processes behind a proxy that tells where requests come from."""
    with CurfewServer(processes="2", trusted_proxies="127.0.0.1") as running:
        eventually(lambda: len(workers_of(running)) == 2)
        yield running


@pytest.fixture
async def guesser(server: CurfewServer) -> AsyncIterator[Client]:
    """Somebody without a session, who has many connections."""
    async with Client(server.url) as client:
        yield client


async def log_in(client: Client, username: str, at: str, password: str = WRONG) -> tuple[int, str]:
    """One try, without keeping a cookie; its status and problem."""
    answer = await try_to_log_in(client, username, at, password)
    return answer.status_code, answer.json().get("type", "")


async def try_to_log_in(client: Client, username: str, at: str, password: str) -> httpx.Response:
    """One try."""
    body = {"username": username, "password": password}
    return await client.request("POST", "/api/login", body, keep=False, X_Forwarded_For=at)


def addresses(net: str, number: int) -> list[str]:
    """So many different ones."""
    return [f"{net}.{number // 250}.{number % 250}" for number in range(number)]


@pytest.mark.proves("A59", "A62", "6.1.1", "6.3.1")
async def test_200_guesses_at_once_from_200_addresses_are_10_and_delay_nobody_at_home(
    server: CurfewServer, guesser: Client
) -> None:
    async with Client(server.url) as victim:
        await victim.request("POST", "/api/signup", {"username": "anna", "password": PASSWORD})
        at_home = await try_to_log_in(victim, "anna", HOME, PASSWORD)
        await victim.sign_in("anna")
        passwords = [*[WRONG] * 100, PASSWORD, *[WRONG] * 99]
        answers = Counter(
            await asyncio.gather(
                *(
                    log_in(guesser, "anna", at, password)
                    for at, password in zip(addresses("198.51", 200), passwords, strict=True)
                )
            )
        )
        assert set(answers) <= {WRONG_CREDENTIALS, THROTTLED, (200, "")}
        assert answers[200, ""] <= 1
        assert answers[WRONG_CREDENTIALS] <= 20  # the right one, if it came through, pardons
        assert at_home.status_code == 200
        assert (await log_in(guesser, "anna", HOME, PASSWORD)) == (200, "")
        assert (await victim.request("GET", "/api/session")).status_code == 200


@pytest.mark.proves("A60", "6.1.1", "6.3.1")
async def test_one_password_on_45_accounts_from_one_address_is_tried_20_times(
    guesser: Client,
) -> None:
    answers: Counter[tuple[int, str]] = Counter()
    for burst in range(3):
        names = [f"somebody-{burst}-{number}" for number in range(15)]
        tries = (log_in(guesser, name, "192.0.2.60") for name in names)
        answers.update(await asyncio.gather(*tries))
    assert answers == {WRONG_CREDENTIALS: 20, THROTTLED: 25}


@pytest.mark.proves("A61", "A62", "6.1.1", "6.3.1")
async def test_while_300_addresses_guess_at_300_accounts_only_familiar_places_are_let_in(
    server: CurfewServer, guesser: Client
) -> None:
    body = {"username": "berta", "password": PASSWORD}
    assert (await guesser.request("POST", "/api/signup", body)).status_code == 201
    assert await log_in(guesser, "berta", HOME, PASSWORD) == (200, "")
    async with guessing_everywhere(server):
        for name, password in (("berta", PASSWORD), ("berta", WRONG), ("nobody", WRONG)):
            assert await log_in(guesser, name, "192.0.2.61", password) == THROTTLED
        assert await log_in(guesser, "berta", HOME, PASSWORD) == (200, "")


@asynccontextmanager
async def guessing_everywhere(server: CurfewServer) -> AsyncIterator[None]:
    """As if many others guessed meanwhile: their tries are counted without being made."""
    keyring = Keyring.from_secrets(load_settings(server.environment).secret_keys)
    key = keyring.derive("tries").newest[1]
    async with open_store_client(server.store_url) as client:
        counters = TryCounters(Scripts(client), key, time.time)

        async def guess(number: int) -> None:
            tally = sign_in_tally(f"person-{number}", f"2001:db8:{number:x}::1")
            await counters.count(tally, operation=os.urandom(8).hex())

        over = asyncio.Event()  # a cancellation may be lost in the store's client

        async def go_on() -> None:
            numbers = itertools.count(300)
            while not over.is_set():
                await guess(next(numbers))
                await asyncio.sleep(0.02)

        await asyncio.gather(*(guess(number) for number in range(300)))
        going_on = asyncio.create_task(go_on())
        try:
            yield
        finally:
            over.set()
            await going_on
