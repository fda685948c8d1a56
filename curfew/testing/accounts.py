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

from curfew import Accounts
from curfew.testing.account_listing import HandleContract, ListingContract
from curfew.testing.account_samples import ANN, CID, FULL, HANDLE, MOVING, revision_of, saved
from server.core.account import PendingEnd
from server.core.factors import NO_FACTORS
from server.core.reasons import Reason


class SavingContract:
    """What is saved comes back, once, and only over what the writer saw."""

    async def test_an_account_comes_back_as_it_was_saved(self, accounts: Accounts) -> None:
        for each in (ANN, FULL, MOVING):
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

    async def test_a_write_that_is_refused_leaves_nothing(self, accounts: Accounts) -> None:
        first = await saved(accounts, replace(CID, factors=NO_FACTORS))
        assert await accounts.save(
            replace(CID, factors=NO_FACTORS, disabled=True), based_on=first, operation="disable"
        )
        late = replace(CID, admin=True, pending_end=MOVING.pending_end)
        assert not await accounts.save(late, based_on=first, operation="late")
        assert list(await accounts.administrators()) == []
        assert await accounts.user_of_handle(HANDLE) is None
        assert list(await accounts.unfinished()) == []

    async def test_names_are_told_apart_to_the_letter(self, accounts: Accounts) -> None:
        names = ("strasse", "straße", "resume", "résumé", "ann", "anna")
        for name in names:
            await saved(accounts, replace(ANN, user=name, spelling=name))
        for name in names:
            stored = await accounts.load(name)
            assert stored is not None
            assert stored.account.spelling == name
        for name in ("ANN", "Ann", "ann ", " ann", "ànn", "STRASSE"):
            assert await accounts.load(name) is None

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


class AccountsContract(SavingContract, RemovingContract, HandleContract, ListingContract):
    """All of it."""
