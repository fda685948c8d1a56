"""A change of an account starts from what is stored at that moment."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

import pytest
import redis
from redis.asyncio import Redis

from server.core.account import Account
from server.core.errors import WriteConflict
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store.account_contract import StoredAccount
from server.store.accounts import AccountStore
from server.store.change_account import change_account
from server.store.compare_and_set import MAX_TRIES
from server.store.names import ShardNames
from server.store.scripts import Scripts
from tests.support.engine.keys import KEY
from tests.support.engine.quiet import Unreadable

NAMES: Final = ShardNames(0)
ANN: Final = Account("ann", "hash", admin=True, disabled=False, created_at=1.5)


class SharedAccounts(AccountStore):
    """The store, which lets others write between a load and the save that follows it.

    Attributes:
        between: what others write, once.
    """

    def __init__(self, client: Redis, scripts: Scripts) -> None:
        self.between: list[Awaitable[object]] = []
        sealer = Sealer(Keyring.from_secrets([KEY]))
        super().__init__(client, scripts, sealer, 1, Unreadable())

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
    changed = await change_account(accounts, "ann", disable, new_id)
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
        await change_account(
            accounts, "ann", lambda each: replace(each, disabled=True), new_id_while_another_writes
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
    assert await change_account(accounts, "ann", lambda each: each, new_id) is None
    await accounts.save(ANN, based_on=0, operation="o")
    assert await change_account(accounts, "ann", lambda _: None, new_id) is None
    stored = await accounts.load("ann")
    assert stored is not None
    assert stored.revision == 1
