"""Accounts in the store: who is told apart, and what two who write at once leave."""

import asyncio

import pytest

from server.accounts.accounts import StoredAccounts
from server.accounts.outcomes import NameTaken
from server.core.account import Account
from server.core.credentials import BadPassword, BadUsername
from server.core.errors import StoreUnavailable
from server.crypto.keyring import Keyring
from server.crypto.passwords import Argon2Parameters, PasswordCheck, PasswordHasher
from server.services import Services
from settings import Settings
from tests.support.clients.client import PASSWORD
from tests.support.engine.keys import key
from tests.support.servers.valkey import ValkeyServer

NEW_PASSWORD = "eleven herons on the morning ferry"


@pytest.fixture
def store_url(own_valkey: ValkeyServer) -> str:
    """The address of the test's own Valkey."""
    return own_valkey.url


@pytest.fixture
def accounts(services: Services) -> StoredAccounts:
    """The accounts of a node."""
    assert isinstance(services.accounts, StoredAccounts)
    return services.accounts


async def test_the_right_password_finds_the_account_in_any_form_of_its_name(
    accounts: StoredAccounts, ada: Account
) -> None:
    assert await accounts.verify("ADA", PASSWORD) == ada
    assert await accounts.find("Ada") == ada


async def test_wrong_unknown_and_disabled_each_cost_one_check_and_find_nobody(
    accounts: StoredAccounts, ada: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    await accounts.set_disabled(ada.user, disabled=True)
    await accounts.create("grace", PASSWORD)
    checked, verify = [], accounts._hasher.verify

    async def counted(password: str, stored: str | None) -> PasswordCheck:
        checked.append(stored)
        return await verify(password, stored)

    monkeypatch.setattr(accounts._hasher, "verify", counted)
    tries = [("grace", "no"), ("nobody", PASSWORD), ("no name!", PASSWORD), ("ada", PASSWORD)]
    assert [await accounts.verify(*each) for each in tries] == [None] * 4
    assert len(checked) == 4


@pytest.mark.parametrize(
    ("name", "password", "refusal"),
    [("no name!", PASSWORD, BadUsername), ("ada", "short", BadPassword),
     ("ada", "password12345678", BadPassword)],
)  # fmt: skip
async def test_an_unfit_name_or_password_makes_no_account(
    accounts: StoredAccounts, name: str, password: str, refusal: type
) -> None:
    assert isinstance(await accounts.create(name, password), refusal)
    assert await accounts.find(name) is None


async def test_of_two_who_want_a_name_at_once_one_gets_it(
    accounts: StoredAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, hash_password = asyncio.Barrier(2), accounts._hasher.hash

    async def hash_together(password: str) -> str:
        """Hash when both have found the name free."""
        async with asyncio.timeout(5):
            await both.wait()
        return await hash_password(password)

    monkeypatch.setattr(accounts._hasher, "hash", hash_together)
    passwords = [PASSWORD, NEW_PASSWORD]
    made = await asyncio.gather(*(accounts.create("ada", each) for each in passwords))
    assert made.count(NameTaken()) == 1
    loser = made.index(NameTaken())
    assert await accounts.verify("ada", passwords[1 - loser]) == made[1 - loser]
    assert await accounts.verify("ada", passwords[loser]) is None


async def test_a_new_password_takes_the_place_of_the_old_one_and_is_counted(
    accounts: StoredAccounts, ada: Account
) -> None:
    assert await accounts.set_password(ada.user, NEW_PASSWORD) is None
    assert await accounts.verify(ada.user, PASSWORD) is None
    changed = await accounts.verify(ada.user, NEW_PASSWORD)
    assert changed is not None
    assert changed.password_changes == ada.password_changes + 1


async def test_an_unfit_new_password_leaves_the_old_one(
    accounts: StoredAccounts, ada: Account
) -> None:
    assert isinstance(await accounts.set_password(ada.user, "short"), BadPassword)
    assert await accounts.verify(ada.user, PASSWORD) == ada


async def test_changes_at_once_are_all_kept(accounts: StoredAccounts, ada: Account) -> None:
    await asyncio.gather(
        *(accounts.set_password(ada.user, NEW_PASSWORD) for _ in range(3)),
        accounts.set_disabled(ada.user, disabled=True),
    )
    found = await accounts.find(ada.user)
    assert found is not None
    assert (found.password_changes, found.disabled) == (3, True)


async def test_only_the_right_password_makes_a_cheap_hash_anew(
    accounts: StoredAccounts, ada: Account
) -> None:
    dearer = PasswordHasher(Argon2Parameters(memory_bytes=16 * 2**10, passes=1))
    later = StoredAccounts(accounts._accounts, dearer, accounts._context)
    assert await later.verify(ada.user, "no") is None
    assert await later.find(ada.user) == ada
    assert await later.verify(ada.user, PASSWORD) == ada
    improved = await later.find(ada.user)
    assert improved is not None
    assert "m=16," in improved.password_hash
    assert await accounts.verify(ada.user, PASSWORD) == improved
    dearer.close()


async def test_a_store_that_is_away_is_not_taken_for_a_wrong_password_or_a_free_name(
    accounts: StoredAccounts, ada: Account, own_valkey: ValkeyServer
) -> None:
    own_valkey.kill()
    with pytest.raises(StoreUnavailable):
        await accounts.verify(ada.user, PASSWORD)
    with pytest.raises(StoreUnavailable):
        await accounts.create("grace", PASSWORD)
    with pytest.raises(StoreUnavailable):
        await accounts.set_password(ada.user, NEW_PASSWORD)
    own_valkey.start()


async def test_an_account_under_an_older_key_is_sealed_with_the_new_one_at_the_next_sign_in(
    services: Services, configuration: Settings, accounts: StoredAccounts, ada: Account
) -> None:
    async def sealed_under() -> set[int | None]:
        return {version for _, version in await services.sealed.counts(lambda _: None)}

    (old,) = services.keyring.versions
    assert await sealed_under() == {old}
    services.keyring.adopt(Keyring.from_secrets([key("new"), *configuration.secret_keys]))
    assert await accounts.verify(ada.user, PASSWORD) == ada
    assert await sealed_under() == {services.keyring.versions[0]}


async def test_what_is_no_name_is_nobodys(accounts: StoredAccounts) -> None:
    assert not await accounts.set_disabled("no name!", disabled=True)
    assert await accounts.find("no name!") is None
