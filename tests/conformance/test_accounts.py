"""Accounts in the session store and in SQLite pass the one suite."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from curfew import Accounts
from curfew.testing.accounts import AccountsContract
from examples.sql_accounts import open_accounts
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store.account_ends import AccountEnds
from server.store.account_index import AccountIndex
from server.store.accounts import AccountStore
from server.store.entries import Entries
from server.store.looks import LookClaims
from server.store.redis_accounts import RedisAccounts
from server.store.scripts import Scripts
from tests.support.engine.keys import KEY
from tests.support.engine.quiet import Unreadable, quiet_context
from tests.support.engine.store_client import open_store_client


class TestRedisAccounts(AccountsContract):
    """Curfew's own, on a real store."""

    ends_in_one_step = True

    @pytest.fixture(params=[1, 3])
    async def accounts(
        self, store_url: str, request: pytest.FixtureRequest
    ) -> AsyncIterator[Accounts]:
        """In one shard, and in three."""
        keyring, context = Keyring.from_secrets([KEY]), quiet_context(time.time)
        async with open_store_client(store_url) as client:
            scripts = Scripts(client)
            store = AccountStore(client, scripts, Sealer(keyring), request.param, Unreadable())
            looks = LookClaims(scripts, store.exists, context.now, request.param)
            index = AccountIndex(client, scripts, store, looks, request.param)
            ends = AccountEnds(scripts, Entries(keyring, context), store, 1000)
            yield RedisAccounts(store, index, ends, context.node)


class TestSqlAccounts(AccountsContract):
    """The example's, in a file."""

    @pytest.fixture
    async def accounts(self, tmp_path: Path) -> AsyncIterator[Accounts]:
        """In a new database."""
        async with open_accounts(f"sqlite+aiosqlite:///{tmp_path}/people.sqlite") as accounts:
            yield accounts
