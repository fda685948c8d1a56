"""The names of accounts in order, and the administrators among them."""

import asyncio

import pytest
import redis
from redis.asyncio import Redis

from server.core.account import Account
from server.core.errors import StoreUnavailable
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store.account_index import AccountIndex
from server.store.accounts import AccountStore
from server.store.looks import LookClaims
from server.store.names import ShardNames
from server.store.scripts import Scripts
from tests.support.engine.keys import KEY
from tests.support.engine.quiet import Unreadable

SHARDS = 3


def new_accounts(client: Redis, scripts: Scripts) -> AccountStore:
    return AccountStore(client, scripts, Sealer(Keyring.from_secrets([KEY])), SHARDS, Unreadable())


def new_index(client: Redis, scripts: Scripts, accounts: AccountStore) -> AccountIndex:
    looks = LookClaims(scripts, accounts.exists, lambda: 1000.0, SHARDS)
    return AccountIndex(client, scripts, accounts, looks, SHARDS)


@pytest.fixture
def accounts(client: Redis, scripts: Scripts) -> AccountStore:
    return new_accounts(client, scripts)


@pytest.fixture
def index(client: Redis, scripts: Scripts, accounts: AccountStore) -> AccountIndex:
    return new_index(client, scripts, accounts)


async def made(accounts: AccountStore, user: str, *, admin: bool = False) -> None:
    account = Account(user, "hash", admin=admin, disabled=False, created_at=1.0)
    assert await accounts.save(account, based_on=0, operation=user)


async def test_names_come_in_order_over_the_shards(
    index: AccountIndex, accounts: AccountStore
) -> None:
    names = [f"u{number}" for number in range(10, 30)]
    for name in reversed(names):
        await made(accounts, name)
    assert await index.page("", 5) == names[:5]
    assert await index.page("u14", 100) == names[5:]
    assert await index.page("u29", 5) == []


async def test_earlier_accounts_are_listed_once_and_a_name_without_an_account_is_not(
    index: AccountIndex, accounts: AccountStore, raw: redis.Redis
) -> None:
    await made(accounts, "root", admin=True)
    await made(accounts, "ann")
    for number in range(SHARDS):
        raw.delete(ShardNames(number).accounts)
    raw.delete(ShardNames(0).administrators)
    assert await index.page("", 9) == ["ann", "root"]
    assert await index.administrators() == {"root"}
    assert raw.get(ShardNames(0).listed) == b"1"
    raw.delete(ShardNames.of_user("ann", SHARDS).accounts)
    assert "ann" not in await index.page("", 9)  # it is not done again


async def test_a_server_lists_earlier_accounts_in_the_background(
    index: AccountIndex, accounts: AccountStore, raw: redis.Redis
) -> None:
    for number in range(40):
        await made(accounts, f"u{number:02d}")
    for number in range(SHARDS):
        raw.delete(ShardNames(number).accounts)
    listing = asyncio.create_task(index.run())
    assert len(await index.page("", 100)) == 40
    await listing
    assert not await index.claim_look("uOo")  # like "u00"


async def test_a_store_that_is_away_is_waited_for(
    gone: Redis, scripts: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, tried = new_index(gone, scripts, new_accounts(gone, scripts)), asyncio.Event()

    async def wait(_: float) -> None:
        tried.set()
        await asyncio.Event().wait()

    monkeypatch.setattr("server.store.account_index.asyncio.sleep", wait)
    listing = asyncio.create_task(index.run())
    await tried.wait()
    listing.cancel()


async def test_the_last_administrator_is_not_dropped(
    index: AccountIndex, accounts: AccountStore
) -> None:
    await made(accounts, "root", admin=True)
    await made(accounts, "second", admin=True)
    await made(accounts, "disabled", admin=True)
    dropped = await asyncio.gather(
        index.drop_administrator("root", others=["second"]),
        index.drop_administrator("second", others=["root"]),
    )
    assert sorted(dropped) == [False, True]
    (left,) = await index.administrators() - {"disabled"}
    assert not await index.drop_administrator(left)
    assert await index.drop_administrator(left, may_be_last=True)
    assert await index.drop_administrator("nobody", may_be_last=True)


async def test_without_the_store_nothing_is_known(gone: Redis, scripts: Scripts) -> None:
    index = new_index(gone, scripts, new_accounts(gone, scripts))
    with pytest.raises(StoreUnavailable):
        await index.page("", 1)
