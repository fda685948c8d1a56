"""The suite that every implementation of `curfew.Accounts` passes; Curfew's own does.

Inherit from it in a file of tests, and give it the fixture `accounts`:

    class TestOurAccounts(AccountsContract):
        @pytest.fixture
        async def accounts(self, tmp_path):
            async with open_accounts(tmp_path / "people.sqlite") as accounts:
                yield accounts

It needs pytest with pytest-asyncio in the mode `auto`. Each test begins with no accounts.
"""

import asyncio
from dataclasses import replace
from typing import Final

from curfew import Account, Accounts
from server.core.account import PendingEnd
from server.core.factors import NO_FACTORS, Factors, Passkey, RecoveryCodes, Totp
from server.core.reasons import Reason
from server.core.token import make_sid

HANDLE: Final = make_sid(0, bytes(range(16)))
FACTORS: Final = Factors(
    handle=HANDLE,
    totp=Totp("secret", 5, 2.5),
    passkeys=(Passkey("id", "key", "localhost", 3, "a key", 2.0),),
    recovery=RecoveryCodes("salt", ("hash", "other")),
)
ANN: Final = Account("ann", "hash", admin=False, disabled=False, created_at=1.5)
CID: Final = replace(ANN, user="cid", factors=FACTORS)
"""Curfew's own store wants a handle in the shard of its user."""
FULL: Final = Account(
    "ünïcødé@bücher.example",
    "hash",
    admin=True,
    disabled=True,
    created_at=1234567890.123456,
    password_changes=7,
    factors=FACTORS,
    spelling="Ünïcødé@bücher.example",
    moved_from="before",
)


async def saved(accounts: Accounts, account: Account, operation: str = "new") -> int:
    """Save a new account; return its revision."""
    assert await accounts.save(
        account, based_on=0, operation=f"{operation}-{account.user.encode().hex()}"
    )
    return await revision_of(accounts, account.user)


async def revision_of(accounts: Accounts, user: str) -> int:
    """Return the revision of an account that is there."""
    stored = await accounts.load_to_change(user)
    assert stored is not None
    assert stored.revision > 0
    return stored.revision


class SavingContract:
    """What is saved comes back, once, and only over what the writer saw."""

    async def test_an_account_comes_back_as_it_was_saved(self, accounts: Accounts) -> None:
        for each in (ANN, FULL):
            assert await accounts.load(each.user) is None
            await saved(accounts, each)
            for stored in (
                await accounts.load(each.user),
                await accounts.load_to_change(each.user),
            ):
                assert stored is not None
                assert stored.account == each

    async def test_a_name_is_given_once(self, accounts: Accounts) -> None:
        await saved(accounts, ANN)
        other = replace(ANN, password_hash="other")
        assert not await accounts.save(other, based_on=0, operation="second")
        stored = await accounts.load("ann")
        assert stored is not None
        assert stored.account == ANN

    async def test_of_two_who_want_a_name_at_once_one_gets_it(self, accounts: Accounts) -> None:
        some = [replace(ANN, password_hash=f"hash-{number}") for number in range(4)]
        saving = (accounts.save(each, based_on=0, operation=each.password_hash) for each in some)
        results = await asyncio.gather(*saving)
        assert results.count(True) == 1
        stored = await accounts.load("ann")
        assert stored is not None
        assert stored.account == some[results.index(True)]

    async def test_a_write_that_is_based_on_an_older_one_is_refused(
        self, accounts: Accounts
    ) -> None:
        first = await saved(accounts, ANN)
        disabled = replace(ANN, disabled=True)
        assert await accounts.save(disabled, based_on=first, operation="disable")
        assert await revision_of(accounts, "ann") != first
        late = replace(ANN, password_hash="late")
        assert not await accounts.save(late, based_on=first, operation="late")
        assert not await accounts.save(late, based_on=0, operation="later")
        stored = await accounts.load("ann")
        assert stored is not None
        assert stored.account == disabled

    async def test_of_two_changes_at_once_one_is_written(self, accounts: Accounts) -> None:
        first = await saved(accounts, ANN)
        some = [replace(ANN, password_changes=number) for number in range(1, 5)]
        results = await asyncio.gather(
            *(
                accounts.save(each, based_on=first, operation=f"change-{each.password_changes}")
                for each in some
            )
        )
        assert results.count(True) == 1
        stored = await accounts.load("ann")
        assert stored is not None
        assert stored.account == some[results.index(True)]

    async def test_a_write_whose_answer_was_lost_may_be_repeated(self, accounts: Accounts) -> None:
        first = await saved(accounts, ANN)
        assert await accounts.save(ANN, based_on=0, operation=f"new-{b'ann'.hex()}")
        assert await revision_of(accounts, "ann") == first
        changed = replace(ANN, admin=True)
        assert await accounts.save(changed, based_on=first, operation="change")
        second = await revision_of(accounts, "ann")
        assert await accounts.save(changed, based_on=first, operation="change")
        assert await revision_of(accounts, "ann") == second

    async def test_nothing_is_saved_over_nothing(self, accounts: Accounts) -> None:
        assert not await accounts.save(ANN, based_on=7, operation="late")
        assert await accounts.load("ann") is None


class RemovingContract:
    """What was removed is gone, and leaves nothing to who has the name later."""

    ends_in_one_step = False
    """Whether a change and its end are one step, as in Curfew's own store only."""

    async def test_a_removed_account_is_gone_with_its_handle(self, accounts: Accounts) -> None:
        revision = await saved(accounts, CID)
        assert await accounts.user_of_handle(HANDLE) == "cid"
        assert await accounts.remove("cid", based_on=revision, operation="remove")
        assert await accounts.load("cid") is None
        assert await accounts.user_of_handle(HANDLE) is None
        assert await accounts.page("", 10) == []
        assert await accounts.remove("cid", based_on=revision, operation="remove")

    async def test_another_account_is_not_removed_in_its_place(self, accounts: Accounts) -> None:
        first = await saved(accounts, ANN)
        assert await accounts.save(ANN, based_on=first, operation="write")
        assert not await accounts.remove("ann", based_on=first, operation="remove")
        assert await accounts.load("ann") is not None

    async def test_a_name_never_has_the_same_revision_again(self, accounts: Accounts) -> None:
        seen = set()
        for number in range(4):
            revision = await saved(accounts, ANN, f"new-{number}")
            assert revision not in seen
            seen.add(revision)
            assert await accounts.remove("ann", based_on=revision, operation=f"remove-{number}")
        await saved(accounts, ANN, "last")
        late = replace(ANN, admin=True)
        for revision in seen:
            assert not await accounts.save(late, based_on=revision, operation=f"late-{revision}")

    async def test_what_an_end_owes_is_found_until_it_is_settled(self, accounts: Accounts) -> None:
        await saved(accounts, FULL)
        revision = await saved(accounts, ANN)
        assert list(await accounts.unfinished()) == []
        owing = replace(ANN, pending_end=PendingEnd("e1", Reason.ADMIN, removes=True))
        assert await accounts.save(owing, based_on=revision, operation="begun")
        assert list(await accounts.unfinished()) == ([] if self.ends_in_one_step else ["ann"])
        stored = await accounts.load_to_change("ann")
        assert stored is not None
        assert stored.account == owing
        assert not stored.account.may_sign_in
        revision = stored.revision
        assert await accounts.save(ANN, based_on=revision, operation="settled")
        assert list(await accounts.unfinished()) == []


class HandleContract:
    """A handle leads to one user."""

    async def test_a_handle_leads_to_its_account(self, accounts: Accounts) -> None:
        assert await accounts.user_of_handle(HANDLE) is None
        revision = await saved(accounts, replace(CID, factors=NO_FACTORS))
        assert await accounts.save(CID, based_on=revision, operation="factors")
        assert await accounts.user_of_handle(HANDLE) == "cid"
        await accounts.point_handle(HANDLE, "bob")
        assert await accounts.user_of_handle(HANDLE) == "bob"
        await accounts.point_handle(HANDLE, "")
        assert await accounts.user_of_handle(HANDLE) is None

    async def test_a_handle_stays_with_the_new_name_of_its_account(
        self, accounts: Accounts
    ) -> None:
        revision = await saved(accounts, CID)
        moving = replace(CID, moving_to="countess")
        assert await accounts.save(moving, based_on=revision, operation="closed")
        await accounts.point_handle(HANDLE, "countess")
        settled = replace(moving, password_changes=1)
        revision = await revision_of(accounts, "cid")
        assert await accounts.save(settled, based_on=revision, operation="settled")
        assert await accounts.user_of_handle(HANDLE) == "countess"
        revision = await revision_of(accounts, "cid")
        assert await accounts.remove("cid", based_on=revision, operation="removed")
        assert await accounts.user_of_handle(HANDLE) == "countess"

    async def test_what_is_no_handle_leads_nowhere(self, accounts: Accounts) -> None:
        await saved(accounts, CID)
        for each in ("", "ann", HANDLE + "x", "*", "%", "' OR 1=1 --", "\x00"):
            assert await accounts.user_of_handle(each) is None


class ListingContract:
    """Names in order, administrators, looks."""

    async def test_pages_follow_each_other_in_the_order_of_bytes(self, accounts: Accounts) -> None:
        names = ["a_b", "aab", "abc", "b%c", "bob", "zoe", "ähm", "日本語", "\U00020000"]
        for name in names:
            await saved(accounts, replace(ANN, user=name))
        limit, in_order = 2, sorted(names, key=str.encode)
        found: list[str] = []
        while page := await accounts.page(found[-1] if found else "", limit):
            assert len(page) <= limit
            found += page
        assert found == in_order
        assert list(await accounts.page("", 10, prefix="a")) == ["a_b", "aab", "abc"]
        assert list(await accounts.page("", 10, prefix="a_")) == ["a_b"]
        assert list(await accounts.page("", 10, prefix="b%")) == ["b%c"]
        assert list(await accounts.page("aab", 10, prefix="a")) == ["abc"]
        assert list(await accounts.page("zoe", 10, prefix="a")) == []
        assert list(await accounts.page("bob", 10)) == in_order[5:]

    async def test_of_two_administrators_who_remove_each_other_one_stays(
        self, accounts: Accounts
    ) -> None:
        assert list(await accounts.administrators()) == []
        for name in ("ann", "bob"):
            await saved(accounts, replace(ANN, user=name, admin=True))
        await saved(accounts, replace(ANN, user="eve"))
        assert set(await accounts.administrators()) == {"ann", "bob"}
        dropped = await asyncio.gather(
            accounts.drop_administrator("ann", others=["bob"]),
            accounts.drop_administrator("bob", others=["ann"]),
        )
        assert sorted(dropped) == [False, True]
        (left,) = await accounts.administrators()
        assert not await accounts.drop_administrator(left)
        assert not await accounts.drop_administrator(left, others=["eve"])
        assert await accounts.drop_administrator(left, may_be_last=True)
        assert list(await accounts.administrators()) == []
        assert await accounts.drop_administrator("nobody", may_be_last=True)

    async def test_names_that_look_alike_are_given_once(self, accounts: Accounts) -> None:
        assert await accounts.claim_look("paypal")
        await saved(accounts, replace(ANN, user="paypal"))
        assert await accounts.claim_look("paypal")
        assert not await accounts.claim_look("paypa1")
        assert await accounts.claim_look("paypa1", former="paypal")
        await saved(accounts, replace(ANN, user="paypa1"))
        assert not await accounts.claim_look("paypal")

    async def test_of_two_names_that_look_alike_at_once_one_is_given(
        self, accounts: Accounts
    ) -> None:
        names = ("paypal", "paypa1")
        given = await asyncio.gather(*(accounts.claim_look(name) for name in names))
        assert sorted(given) == [False, True]

    async def test_a_look_is_free_again_after_its_account(self, accounts: Accounts) -> None:
        assert await accounts.claim_look("paypal")
        await accounts.release_look("paypal", since=0.0)
        assert not await accounts.claim_look("paypa1"), "it was claimed after that moment"
        await accounts.release_look("paypa1", since=1e11)
        assert not await accounts.claim_look("paypa1"), "that was not its own"
        await accounts.release_look("paypal", since=1e11)
        assert await accounts.claim_look("paypa1")


class AccountsContract(SavingContract, RemovingContract, HandleContract, ListingContract):
    """All of it."""
