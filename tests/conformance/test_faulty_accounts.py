"""The suite for accounts finds faults that people would make: each here is one of them."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from curfew import Account, StoredAccount
from curfew.testing.accounts import AccountsContract
from examples.sql_accounts import ADMINISTRATORS, LOOKS, METADATA, SqlAccounts, open_database


class ForgetsColumns(SqlAccounts):
    """Keeps the fields in columns, and forgot those that came later."""

    async def load(self, user: str) -> StoredAccount | None:
        """Return what the columns have."""
        stored = await super().load(user)
        if stored is None:
            return None
        return replace(stored, account=replace(stored.account, moving_to=""))

    load_to_change = load


class ForgetsTries(SqlAccounts):
    """Likewise, in an inner object."""

    async def load(self, user: str) -> StoredAccount | None:
        """Return what the columns have."""
        stored = await super().load(user)
        if stored is None:
            return None
        factors = replace(stored.account.factors, wrong_codes=0)
        return replace(stored, account=replace(stored.account, factors=factors))

    load_to_change = load


class TellsNoCaseApart(SqlAccounts):
    """Has the collation of many a database."""

    async def load(self, user: str) -> StoredAccount | None:
        """Compare without case, and without spaces at the end."""
        return await super().load(user.lower().rstrip())

    load_to_change = load


class WritesBeforeItLooks(SqlAccounts):
    """Lists an administrator whose account it then refuses to write."""

    async def save(self, account: Account, *, based_on: int, operation: str) -> bool:
        """Write, in two transactions."""
        is_listed = account.user in await self.administrators()
        if account.admin and not is_listed:
            async with self._transaction() as connection:
                await connection.execute(insert(ADMINISTRATORS).values(user=account.user))
        return await super().save(account, based_on=based_on, operation=operation)


class CountsEverybody(SqlAccounts):
    """Takes an administrator who cannot sign in for one who is left."""

    async def drop_administrator(
        self, user: str, *, others: Collection[str] = (), may_be_last: bool = False
    ) -> bool:
        """Look at the list alone."""
        listed = [*others, *await self.administrators()]
        return await super().drop_administrator(user, others=listed, may_be_last=may_be_last)


class ClaimsOnce(SqlAccounts):
    """Does not note that a look was claimed again."""

    async def claim_look(self, user: str, *, former: str = "") -> bool:
        """Claim what is not claimed."""
        async with self._transaction() as connection:
            asking = select(LOOKS.c.user).where(LOOKS.c.user == user)
            if (await connection.execute(asking)).first():
                return True
        return await super().claim_look(user, former=former)


class RepeatsTheLast(SqlAccounts):
    """Begins a page with the last name of the page before."""

    async def page(self, after: str, limit: int, *, prefix: str = "") -> Sequence[str]:
        """Return a page."""
        found = await super().page(after, limit, prefix=prefix)
        return [after, *found][:limit] if after else found


CASES = [
    (ForgetsColumns, "test_an_account_comes_back_as_it_was_saved"),
    (ForgetsTries, "test_an_account_comes_back_as_it_was_saved"),
    (TellsNoCaseApart, "test_names_are_told_apart_to_the_letter"),
    (WritesBeforeItLooks, "test_a_write_that_is_refused_leaves_nothing"),
    (CountsEverybody, "test_an_administrator_who_is_not_among_the_others_does_not_count"),
    (ClaimsOnce, "test_a_look_that_was_claimed_again_is_the_later_claims"),
    (RepeatsTheLast, "test_pages_follow_each_other_in_the_order_of_bytes"),
]


@pytest.fixture
async def accounts(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlAccounts]:
    """Of the class that a test asks for, in a new database."""
    async with open_database(f"sqlite+aiosqlite:///{tmp_path}/people.sqlite", METADATA) as engine:
        yield request.param(engine)


@pytest.mark.parametrize(("accounts", "finds"), CASES, indirect=["accounts"])
async def test_the_suite_finds_it(accounts: SqlAccounts, finds: str) -> None:
    with pytest.raises(AssertionError):
        await getattr(AccountsContract(), finds)(accounts)


@pytest.mark.parametrize("accounts", [SqlAccounts], indirect=True)
@pytest.mark.parametrize("finds", sorted({finds for _, finds in CASES}))
async def test_and_does_not_find_it_where_it_is_not(accounts: SqlAccounts, finds: str) -> None:
    await getattr(AccountsContract(), finds)(accounts)
