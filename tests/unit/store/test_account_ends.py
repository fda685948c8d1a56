"""Ends that change an account in the same step: by its revision, once for each end."""

from dataclasses import replace

import pytest
import redis
from redis.asyncio import Redis

from server.core.account import Account
from server.core.factors import Factors
from server.core.reasons import Reason
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store.account_contract import StoredAccount
from server.store.account_ends import AccountEnds
from server.store.accounts import AccountStore
from server.store.contract import Conflict, Ended
from server.store.entries import Entries
from server.store.names import ShardNames
from server.store.scripts import Scripts
from tests.support.engine.keys import KEY
from tests.support.engine.quiet import Unreadable, quiet_context

HANDLE = "00" + "H" * 22
ANN = Account(
    "ann", "hash", admin=False, disabled=False, created_at=1.0, factors=Factors(handle=HANDLE)
)
NAMES = ShardNames(0)


@pytest.fixture
def accounts(client: Redis, scripts: Scripts) -> AccountStore:
    return AccountStore(client, scripts, Sealer(Keyring.from_secrets([KEY])), 1, Unreadable())


@pytest.fixture
def ends(scripts: Scripts, accounts: AccountStore) -> AccountEnds:
    entries = Entries(Keyring.from_secrets([KEY]), quiet_context(lambda: 5.0))
    return AccountEnds(scripts, entries, accounts, 1000)


async def saved(accounts: AccountStore, account: Account = ANN) -> StoredAccount:
    assert await accounts.save(account, based_on=0, operation="o")
    stored = await accounts.load(account.user)
    assert stored is not None
    return stored


async def remove(
    ends: AccountEnds, stored: StoredAccount | None, end_id: str = "e1"
) -> Ended | Conflict:
    return await ends.remove(
        "ann", stored, end_id=end_id, reason=Reason.ACCOUNT_DELETED, initiator="n1"
    )


async def test_a_removal_takes_the_account_its_name_and_its_handle(
    accounts: AccountStore, ends: AccountEnds, raw: redis.Redis
) -> None:
    stored = await saved(accounts)
    assert isinstance(await remove(ends, stored), Ended)
    assert await accounts.load("ann") is None
    assert await accounts.user_of_handle(HANDLE) is None
    assert raw.zrange(NAMES.accounts, 0, -1) == []
    assert raw.get(NAMES.user_epoch("ann")) == b"e1"


async def test_a_removal_of_another_revision_does_nothing(
    accounts: AccountStore, ends: AccountEnds, raw: redis.Redis
) -> None:
    stored = await saved(accounts)
    await accounts.save(replace(ANN, disabled=True), based_on=1, operation="o2")
    assert await remove(ends, stored) == Conflict()
    assert await accounts.load("ann") is not None
    assert raw.get(NAMES.user_epoch("ann")) is None


async def test_a_removal_whose_reply_was_lost_may_be_repeated_even_after_a_new_sign_up(
    accounts: AccountStore, ends: AccountEnds
) -> None:
    stored = await saved(accounts)
    await remove(ends, stored)
    again = await saved(accounts)
    assert again.revision == 2
    assert isinstance(await remove(ends, stored), Ended)
    assert await accounts.load("ann") is not None


async def test_without_an_account_only_sessions_end(ends: AccountEnds, raw: redis.Redis) -> None:
    assert isinstance(await remove(ends, None), Ended)
    assert raw.get(NAMES.user_epoch("ann")) == b"e1"


async def test_an_account_is_replaced_in_the_step_of_the_end(
    accounts: AccountStore, ends: AccountEnds, raw: redis.Redis
) -> None:
    stored = await saved(accounts)
    for end_id in ("e1", "e1"):
        done = await ends.replace(
            stored,
            replace(ANN, admin=True),
            end_id=end_id,
            reason=Reason.ADMIN,
            initiator="n1",
        )
        assert isinstance(done, Ended)
    after = await accounts.load("ann")
    assert after is not None
    assert (after.account.admin, after.revision) == (True, 2)
    assert raw.get(NAMES.user_epoch("ann")) == b"e1"


async def test_the_handle_of_an_account_that_moves_stays(
    accounts: AccountStore, ends: AccountEnds
) -> None:
    stored = await saved(accounts, replace(ANN, moving_to="countess"))
    await accounts.point_handle(HANDLE, "countess")
    await remove(ends, stored)
    assert await accounts.user_of_handle(HANDLE) == "countess"
    await accounts.point_handle(HANDLE, "")
    assert await accounts.user_of_handle(HANDLE) is None
