"""Accounts in the session store: `Accounts` as Curfew itself keeps them."""

from collections.abc import Collection

from server.core.account import Account
from server.core.reasons import Reason
from server.store.account_ends import AccountEnds
from server.store.account_index import AccountIndex
from server.store.accounts import AccountStore
from server.store.contract import Conflict


class RedisAccounts:
    """`Accounts`, sealed, each in the shard of its user's sessions.

    Args:
        accounts: the accounts.
        index: their names, and how these look.
        ends: ends sessions with a change, in one step.
        node: this node's id.
    """

    def __init__(
        self, accounts: AccountStore, index: AccountIndex, ends: AccountEnds, node: str
    ) -> None:
        self.load = accounts.load
        self.load_to_change = accounts.load_to_change
        self.user_of_handle = accounts.user_of_handle
        self.point_handle = accounts.point_handle
        self.page = index.page
        self.administrators = index.administrators
        self.drop_administrator = index.drop_administrator
        self.claim_look = index.claim_look
        self.release_look = index.release_look
        self._accounts = accounts
        self._ends = ends
        self._node = node

    async def save(self, account: Account, *, based_on: int, operation: str) -> bool:
        """Write an account. A new one begins an epoch of its user."""
        if based_on:
            return await self._accounts.save(account, based_on=based_on, operation=operation)
        return await self._accounts.create(account, operation=operation)

    async def remove(self, user: str, *, based_on: int, operation: str) -> bool:
        """Remove an account. No session survives it either."""
        stored = await self.load_to_change(user)
        if stored is None or stored.revision != based_on:
            return stored is None
        ended = await self._ends.remove(
            user, stored, end_id=operation, reason=Reason.ACCOUNT_DELETED, initiator=self._node
        )
        return not isinstance(ended, Conflict)

    async def unfinished(self) -> Collection[str]:
        """Return no names: a change and its end are one step here."""
        return ()
