"""The part of the suite of `curfew.testing.accounts` on handles, lists and looks."""

import asyncio
import time
from dataclasses import replace
from typing import Final

from curfew import Accounts
from curfew.testing.account_samples import ANN, CID, HANDLE, revision_of, saved
from server.core.factors import NO_FACTORS

A_MOMENT: Final = 0.02
"""Seconds by which a database can tell two moments apart."""


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
        for each in ("", "ann", HANDLE + "x", HANDLE.swapcase(), "*", "%", "' OR 1=1 --", "\x00"):
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
            assert not {*page} & {*found}, "a page that repeats a name has no end"
            found += page
        assert found == in_order
        assert list(await accounts.page("", 10, prefix="a")) == ["a_b", "aab", "abc"]
        assert list(await accounts.page("", 10, prefix="A")) == []
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

    async def test_an_administrator_who_is_not_among_the_others_does_not_count(
        self, accounts: Accounts
    ) -> None:
        for name in ("ann", "bob"):  # Bob cannot sign in
            await saved(accounts, replace(ANN, user=name, admin=True))
        assert not await accounts.drop_administrator("ann")
        assert not await accounts.drop_administrator("ann", others=["eve"])
        assert set(await accounts.administrators()) == {"ann", "bob"}
        assert await accounts.drop_administrator("ann", others=["eve", "bob"])
        assert list(await accounts.administrators()) == ["bob"]

    async def test_names_that_look_alike_are_given_once(self, accounts: Accounts) -> None:
        assert await accounts.claim_look("paypal")
        await saved(accounts, replace(ANN, user="paypal"))
        assert await accounts.claim_look("paypal")
        assert not await accounts.claim_look("paypa1")
        assert not await accounts.claim_look("paypa1", former="ann")
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

    async def test_a_look_that_was_claimed_again_is_the_later_claims(
        self, accounts: Accounts
    ) -> None:
        assert await accounts.claim_look("paypal")
        await asyncio.sleep(A_MOMENT)
        before = time.time()
        await asyncio.sleep(A_MOMENT)
        assert await accounts.claim_look("paypal"), "the name is being given to somebody else"
        await accounts.release_look("paypal", since=before)
        assert not await accounts.claim_look("paypa1"), "the former owner's removal came late"
