"""How long a refusal takes does not tell what it refuses.

Hashes are made cheap here, so that what is left could be seen: about 3 ms.
"""

import random
import statistics
import time
from collections import defaultdict

import pytest

from server.services import Services
from tests.support.clients.browser import Browser, problem_of
from tests.support.clients.client import PASSWORD
from tests.support.engine.hashing import hasher_of, no_place
from tests.support.servers.stores import Store

pytestmark = pytest.mark.alone

TRIES = 120
WRONG = "eleven herons on the morning ferry"
NAMES = ("existing", "missing", "disabled")
LARGEST_GAP = 0.001
"""Seconds, half of what is asked for …"""
LARGEST_PART = 0.2
"""… or this part of the time, on a machine so busy that everything takes long."""


def in_turn() -> list[str]:
    """The names so often, each time all of them in an order of their own."""
    chance = random.Random(0)  # noqa: S311 - an order, no secret
    return [name for _ in range(TRIES) for name in chance.sample(NAMES, len(NAMES))]


async def take_time(browser: Browser, valkey: Store, problem: str) -> list[float]:
    """The lower quartiles of the times for each name: what others do here only adds."""
    taken: dict[str, list[float]] = defaultdict(list)
    with valkey.client() as raw:
        for name in in_turn():
            if problem != "throttled":
                raw.delete(*raw.scan_iter("*}:tries:*"), "")
            started = time.perf_counter()
            body = {"username": name, "password": WRONG}
            refused = await browser.send("POST", "/api/login", body)
            taken[name].append(time.perf_counter() - started)
            assert problem_of(refused) == problem
    return [statistics.quantiles(each, n=4)[0] for each in taken.values()]


def is_one_time(quartiles: list[float]) -> bool:
    """Whether nobody could tell them apart."""
    shortest = min(quartiles)
    return max(quartiles) - shortest < max(LARGEST_GAP, LARGEST_PART * shortest)


@pytest.mark.gen_test(timeout=60)
@pytest.mark.proves("A63", "6.3.8")
async def test_existing_missing_and_disabled_are_told_apart_by_no_millisecond(
    browser: Browser, services: Services, valkey: Store
) -> None:
    for name in ("existing", "disabled"):
        await browser.send("POST", "/api/signup", {"username": name, "password": PASSWORD})
    await services.accounts.set_disabled("disabled", disabled=True)
    quartiles = await take_time(browser, valkey, "wrong-credentials")
    assert is_one_time(quartiles), quartiles
    for name in NAMES:
        for _ in range(12):
            body = {"username": name, "password": WRONG}
            await browser.send("POST", "/api/login", body)
    quartiles = await take_time(browser, valkey, "throttled")
    assert is_one_time(quartiles), quartiles


@pytest.mark.gen_test(timeout=60)
@pytest.mark.proves("A63", "A66", "6.3.8")
async def test_nor_while_no_more_passwords_can_be_looked_at(
    browser: Browser, services: Services, valkey: Store
) -> None:
    for name in ("existing", "disabled"):
        await browser.send("POST", "/api/signup", {"username": name, "password": PASSWORD})
    await services.accounts.set_disabled("disabled", disabled=True)
    with no_place(hasher_of(services)):
        quartiles = await take_time(browser, valkey, "busy")
    assert is_one_time(quartiles), quartiles
