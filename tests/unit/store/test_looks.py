"""Claims of looks: given once, taken over only from nobody, given up only by their own."""

import asyncio
import threading

import pytest
from redis.asyncio import Redis

from server.store import looks as looks_module
from server.store.looks import PATIENCE, LookClaims
from server.store.scripts import Scripts

COCO, LIKE_COCO = "coco", "сосо"


class Accounts:
    """Who there is, and what time it is."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.now = 1_000_000.0

    async def exists(self, user: str) -> bool:
        """Return whether there is an account."""
        return user in self.names


@pytest.fixture
def accounts() -> Accounts:
    return Accounts()


@pytest.fixture
def looks(client: Redis, accounts: Accounts) -> LookClaims:
    return LookClaims(Scripts(client), accounts.exists, lambda: accounts.now, 7)


async def test_a_look_is_given_once(looks: LookClaims, accounts: Accounts) -> None:
    assert await looks.claim(COCO)
    accounts.names.add(COCO)
    assert await looks.claim(COCO)
    accounts.now += 10 * PATIENCE.total_seconds()
    assert not await looks.claim(LIKE_COCO)
    assert await looks.claim("somebody-else")


async def test_of_two_that_look_alike_and_come_at_once_one_gets_it(looks: LookClaims) -> None:
    got = await asyncio.gather(looks.claim(COCO), looks.claim(LIKE_COCO))
    assert sorted(got) == [False, True]


async def test_a_claim_without_an_account_is_taken_over_after_a_while(
    looks: LookClaims, accounts: Accounts
) -> None:
    assert await looks.claim(COCO)
    accounts.now += PATIENCE.total_seconds() - 1
    assert not await looks.claim(LIKE_COCO)
    accounts.now += 1
    assert await looks.claim(LIKE_COCO)
    assert not await looks.claim(COCO)


async def test_a_rename_takes_the_claim_along(looks: LookClaims, accounts: Accounts) -> None:
    accounts.names.add(COCO)
    assert await looks.claim(COCO)
    assert await looks.claim(LIKE_COCO, former=COCO)
    accounts.names = {LIKE_COCO}
    assert not await looks.claim(COCO)


async def test_a_claim_is_given_up_by_its_own_and_not_after_it_was_made_anew(
    looks: LookClaims, accounts: Accounts
) -> None:
    assert await looks.claim(COCO)
    accounts.names.add(COCO)
    await looks.release(LIKE_COCO, since=accounts.now)
    assert not await looks.claim(LIKE_COCO)
    accounts.now += 5
    assert await looks.claim(COCO)
    await looks.release(COCO, since=accounts.now - 5)
    assert not await looks.claim(LIKE_COCO)
    await looks.release(COCO, since=accounts.now)
    assert await looks.claim(LIKE_COCO)


async def test_looks_are_computed_off_the_loop(
    looks: LookClaims, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one reads a large file."""
    threads = []

    def look_of(user: str) -> str:
        threads.append(threading.current_thread())
        return user

    monkeypatch.setattr(looks_module, "look_of", look_of)
    assert await looks.claim(COCO)
    await looks.release(COCO, since=0)
    assert len(threads) == 2
    assert threading.main_thread() not in threads
