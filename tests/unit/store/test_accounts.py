"""Accounts: saved once, found by their handles, and read as earlier versions wrote them."""

from dataclasses import asdict, replace
from typing import Final

import pytest
import redis
from redis.asyncio import Redis

from server.core.account import Account
from server.core.factors import Factors, Passkey, RecoveryCodes, Totp
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store.accounts import AccountStore, account_from
from server.store.names import ShardNames
from server.store.scripts import Scripts
from server.store.sessions import ENDS_REMEMBERED
from tests.support.engine.keys import KEY
from tests.support.engine.quiet import Unreadable

NAMES: Final = ShardNames(0)
HANDLE: Final = "00" + "H" * 22
FACTORS: Final = Factors(
    handle=HANDLE,
    totp=Totp("JBSWY3DPEHPK3PXP", 7, 1.0),
    passkeys=(Passkey("id", "key", "localhost", 3, "a key", 1.0),),
    recovery=RecoveryCodes("salt", ("hash",)),
)
ANN: Final = Account("ann", "hash", admin=True, disabled=False, created_at=1.5, factors=FACTORS)


@pytest.fixture
def unreadable() -> Unreadable:
    """Whose accounts did not open."""
    return Unreadable()


@pytest.fixture
def accounts(client: Redis, scripts: Scripts, unreadable: Unreadable) -> AccountStore:
    return AccountStore(client, scripts, Sealer(Keyring.from_secrets([KEY])), 1, unreadable)


async def test_an_account_comes_back_as_it_was_saved(accounts: AccountStore) -> None:
    assert await accounts.load("ann") is None
    assert await accounts.save(ANN, based_on=0, operation="o")
    stored = await accounts.load("ann")
    assert stored is not None
    assert (stored.account, stored.revision, stored.stale_key) == (ANN, 1, False)


async def test_a_name_is_given_once(accounts: AccountStore) -> None:
    assert await accounts.save(ANN, based_on=0, operation="first")
    assert not await accounts.save(replace(ANN, admin=False), based_on=0, operation="second")


async def test_a_new_account_begins_an_epoch_and_its_changes_do_not(
    accounts: AccountStore, raw: redis.Redis
) -> None:
    """What an old master lost with the account is no base for a sign-in under the name."""
    epoch = accounts.names("ann").user_epoch("ann")
    assert await accounts.create(ANN, operation="first")
    assert raw.get(epoch) == b"first"
    assert 0 < raw.ttl(epoch) <= ENDS_REMEMBERED.total_seconds()
    await accounts.save(replace(ANN, admin=False), based_on=1, operation="second")
    assert not await accounts.create(ANN, operation="third")
    assert raw.get(epoch) == b"first"


async def test_a_handle_leads_to_its_account(accounts: AccountStore) -> None:
    assert await accounts.user_of_handle(HANDLE) is None
    await accounts.save(ANN, based_on=0, operation="o")
    assert await accounts.user_of_handle(HANDLE) == "ann"


@pytest.mark.parametrize("handle", ["", "ann", HANDLE + "x", "*", "xx" + HANDLE[2:]])
async def test_what_is_no_handle_reaches_no_key(accounts: AccountStore, handle: str) -> None:
    assert await accounts.user_of_handle(handle) is None


async def test_an_account_that_does_not_open_is_none_and_is_reported(
    accounts: AccountStore, unreadable: Unreadable, raw: redis.Redis
) -> None:
    raw.set(NAMES.account("ann"), b"1 o \ngarbage")
    assert await accounts.load("ann") is None
    assert unreadable.users == ["ann"]


def test_an_account_from_before_second_factors_has_none() -> None:
    content = asdict(replace(ANN, factors=Factors()))
    for name in ("factors", "password_changes"):
        del content[name]
    assert account_from(content) == replace(ANN, factors=Factors())
