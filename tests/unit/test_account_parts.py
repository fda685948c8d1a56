"""Where accounts are decides how their sessions end with them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from curfew import Accounts
from examples.sql_accounts import SqlAccounts, open_accounts
from server.account_parts import opened_accounts
from server.core.errors import ConfigurationError
from server.services import Services, open_services
from server.store.account_ends import AccountEnds
from server.store.redis_accounts import RedisAccounts
from server.store.stepwise_ends import StepwiseEnds
from settings import load_settings


async def test_our_own_accounts_end_in_one_step(services: Services) -> None:
    assert isinstance(services.accounts._accounts, RedisAccounts)
    assert isinstance(services.account_changes._ends, AccountEnds)


async def test_accounts_elsewhere_end_in_steps(tmp_path: Path, store_url: str) -> None:
    settings = load_settings({"CURFEW_DATA_DIR": str(tmp_path), "CURFEW_STORE_URL": store_url})
    url = f"sqlite+aiosqlite:///{tmp_path}/people.sqlite"
    async with open_services(
        settings, serves=False, accounts=lambda: open_accounts(url)
    ) as services:
        for each in (services.accounts, services.account_changes, services.renaming):
            assert isinstance(each._accounts, SqlAccounts)
        assert isinstance(services.account_changes._ends, StepwiseEnds)
        assert isinstance(services.factors._accounts, SqlAccounts)


SECRET = "postgresql://people:secret@database"


@pytest.mark.parametrize(
    ("fault", "told"),
    [(OSError(SECRET), "OSError."), (SystemExit(SECRET), "SystemExit."), (None, "TimeoutError.")],
)
async def test_accounts_that_do_not_open_are_one_line_without_what_the_driver_says(
    fault: BaseException | None, told: str
) -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[Accounts]:
        await asyncio.Event().wait() if fault is None else None
        raise fault or AssertionError
        yield

    async with AsyncExitStack() as stack:
        with pytest.raises(ConfigurationError) as failed:
            await opened_accounts(broken, stack, timedelta(milliseconds=1))
    assert str(failed.value) == f"The accounts of the application did not open: {told}"
