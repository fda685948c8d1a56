"""Records are told apart by whether they open, and those that do not can be removed."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import redis
from redis.asyncio import Redis

from server.core.account import Account
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store import openable_records
from server.store.accounts import AccountStore
from server.store.names import ShardNames
from server.store.openable_records import OpenableRecords
from server.store.scripts import Scripts
from tests.support.engine.keys import key

OURS, THEIRS = (Sealer(Keyring.from_secrets([key(name)])) for name in "ab")
ACCOUNT = Account(user="ann", password_hash="x", admin=False, disabled=False, created_at=1.0)
Accounts = Callable[[Sealer], AccountStore]


@pytest.fixture
def accounts(client: Redis, scripts: Scripts) -> Accounts:
    return lambda sealer: AccountStore(client, scripts, sealer, 1, lambda *_, **__: None)


@pytest.fixture
def records(client: Redis) -> OpenableRecords:
    return OpenableRecords(client, OURS, 1)


async def write(store: AccountStore, user: str) -> None:
    """Write an account."""
    assert await store.save(replace(ACCOUNT, user=user), based_on=0, operation="o")


async def test_an_empty_store_tells_nothing(records: OpenableRecords) -> None:
    assert await records.first_that_tells() is None
    assert not await records.counts()


async def test_one_record_that_opens_tells_more_than_those_that_do_not(
    records: OpenableRecords, accounts: Accounts
) -> None:
    for number in range(5):
        await write(accounts(THEIRS), f"their-{number}")
    found = await records.first_that_tells()
    assert found is not None
    assert (found.kind, found.opens) == ("account", False)
    await write(accounts(OURS), "ours")
    found = await records.first_that_tells()
    assert found is not None
    assert (found.name, found.opens) == ("ours", True)


async def test_after_enough_records_that_do_not_open_no_more_are_tried(
    records: OpenableRecords, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        await write(accounts(THEIRS), f"their-{number}")
    monkeypatch.setattr(openable_records, "SAMPLE", 2)
    found = await records.first_that_tells()
    assert found is not None
    assert not found.opens


async def test_what_does_not_open_is_removed_with_what_leads_to_it(
    records: OpenableRecords, accounts: Accounts, raw: redis.Redis
) -> None:
    handles = {"theirs": ShardNames(0).handle("theirs"), "ours": ShardNames(0).handle("ours")}
    for user, sealer in (("theirs", THEIRS), ("ours", OURS)):
        await write(accounts(sealer), user)
        raw.set(handles[user], user)
    raw.set(ShardNames(0).session("x"), b"1 o \nno box")
    raw.set(ShardNames(0).activity("theirs"), b"no box")
    assert await records.counts() == {
        ("account", True): 1, ("account", False): 1, ("session", False): 1, ("activity", False): 1,
    }  # fmt: skip
    await records.remove_closed()
    assert await records.counts() == {("account", True): 1}
    assert [raw.exists(handles[user]) for user in ("theirs", "ours")] == [0, 1]
