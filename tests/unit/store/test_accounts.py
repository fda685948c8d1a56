"""Accounts: changed on what is stored at that moment, and read as earlier versions wrote them."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from typing import Final

import pytest
import redis
from redis.asyncio import Redis

from server.core.account import Account
from server.core.errors import WriteConflict
from server.core.factors import Factors, Passkey, RecoveryCodes, Totp
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store.accounts import AccountStore, StoredAccount, account_from
from server.store.compare_and_set import MAX_TRIES
from server.store.names import ShardNames
from server.store.scripts import Scripts
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


class SharedAccounts(AccountStore):
    """The store, which lets others write between a load and the save that follows it.

    Attributes:
        unreadable: whose account did not open.
        between: what others write, once.
    """

    def __init__(self, client: Redis, scripts: Scripts) -> None:
        self.unreadable = Unreadable()
        self.between: list[Awaitable[object]] = []
        sealer = Sealer(Keyring.from_secrets([KEY]))
        super().__init__(client, scripts, sealer, 1, self.unreadable)

    async def load(self, user: str) -> StoredAccount | None:
        """Load, and let others write."""
        loaded = await super().load(user)
        while self.between:
            await self.between.pop()
        return loaded


@pytest.fixture
def accounts(client: Redis, scripts: Scripts) -> SharedAccounts:
    return SharedAccounts(client, scripts)


@pytest.fixture
def new_id() -> Callable[[], str]:
    numbers = itertools.count()
    return lambda: f"o{next(numbers)}"


async def test_an_account_comes_back_as_it_was_saved(accounts: AccountStore) -> None:
    assert await accounts.load("ann") is None
    assert await accounts.save(ANN, based_on=0, operation="o")
    stored = await accounts.load("ann")
    assert stored is not None
    assert (stored.account, stored.revision, stored.stale_key) == (ANN, 1, False)


async def test_a_name_is_given_once(accounts: AccountStore) -> None:
    assert await accounts.save(ANN, based_on=0, operation="first")
    assert not await accounts.save(replace(ANN, admin=False), based_on=0, operation="second")


async def test_a_handle_leads_to_its_account(accounts: AccountStore) -> None:
    assert await accounts.user_of_handle(HANDLE) is None
    await accounts.save(ANN, based_on=0, operation="o")
    assert await accounts.user_of_handle(HANDLE) == "ann"


@pytest.mark.parametrize("handle", ["", "ann", HANDLE + "x", "*", "xx" + HANDLE[2:]])
async def test_what_is_no_handle_reaches_no_key(accounts: AccountStore, handle: str) -> None:
    assert await accounts.user_of_handle(handle) is None


async def test_a_change_is_of_what_is_stored_when_it_is_written(
    accounts: SharedAccounts, new_id: Callable[[], str]
) -> None:
    await accounts.save(ANN, based_on=0, operation="o")
    newer = replace(ANN, password_hash="newer")
    seen: list[str] = []

    def disable(account: Account) -> Account:
        seen.append(account.password_hash)
        return replace(account, disabled=True)

    accounts.between = [accounts.save(newer, based_on=1, operation="theirs")]
    changed = await accounts.change("ann", disable, new_id)
    assert changed == replace(ANN, password_hash="newer", disabled=True)
    assert seen == ["hash", "newer"]


async def test_a_change_that_always_loses_fails_and_writes_nothing(
    accounts: AccountStore, raw: redis.Redis
) -> None:
    await accounts.save(ANN, based_on=0, operation="o")
    numbers = itertools.count(2)

    def new_id_while_another_writes() -> str:
        number = next(numbers)
        raw.set(NAMES.account("ann"), _rewritten(raw, number))
        return f"mine{number}"

    with pytest.raises(WriteConflict) as failed:
        await accounts.change(
            "ann", lambda each: replace(each, disabled=True), new_id_while_another_writes
        )
    assert failed.value == WriteConflict("ann", MAX_TRIES)
    stored = await accounts.load("ann")
    assert stored is not None
    assert (stored.account, stored.revision) == (ANN, 1 + MAX_TRIES)


def _rewritten(raw: redis.Redis, revision: int) -> bytes:
    """The same account, as another writer's next revision."""
    value = raw.get(NAMES.account("ann"))
    assert isinstance(value, bytes)
    return f"{revision} theirs \n".encode() + value.partition(b"\n")[2]


async def test_a_change_may_leave_the_account_as_it_is(
    accounts: AccountStore, new_id: Callable[[], str]
) -> None:
    assert await accounts.change("ann", lambda each: each, new_id) is None
    await accounts.save(ANN, based_on=0, operation="o")
    assert await accounts.change("ann", lambda _: None, new_id) is None
    stored = await accounts.load("ann")
    assert stored is not None
    assert stored.revision == 1


async def test_an_account_that_does_not_open_is_none_and_is_reported(
    accounts: SharedAccounts, raw: redis.Redis
) -> None:
    raw.set(NAMES.account("ann"), b"1 o \ngarbage")
    assert await accounts.load("ann") is None
    assert accounts.unreadable.users == ["ann"]


def test_an_account_from_before_second_factors_has_none() -> None:
    content = asdict(replace(ANN, factors=Factors()))
    for name in ("factors", "password_changes"):
        del content[name]
    assert account_from(content) == replace(ANN, factors=Factors())
