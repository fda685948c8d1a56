"""Who may sign in, with which password and role.

`Accounts` keeps the accounts: in the session store, or in a database of an application.
"""

from collections.abc import Callable
from dataclasses import replace

from server.accounts.outcomes import NameTaken
from server.accounts.user_names import canonical_username, spelling_of
from server.core.account import Account
from server.core.context import NodeContext
from server.core.credentials import (
    BadPassword,
    BadUsername,
    check_password_shape,
)
from server.crypto.common_passwords import is_common
from server.crypto.passwords import PasswordHasher
from server.store.account_contract import Accounts, StoredAccount
from server.store.change_account import change_account


class StoredAccounts:
    """Makes accounts, checks and replaces passwords: argon2id, wherever accounts are kept.

    Methods raise `StoreUnavailable` when it cannot be asked.

    Args:
        accounts: where accounts are.
        hasher: bounded argon2id.
        context: this node's clock and randomness.
    """

    def __init__(
        self,
        accounts: Accounts,
        hasher: PasswordHasher,
        context: NodeContext,
    ) -> None:
        self._accounts = accounts
        self._hasher = hasher
        self._context = context

    async def verify(self, username: str, password: str) -> Account | None:
        """Return the account if name and password are right and it is not disabled.

        Unknown, wrong and disabled take the same time (ASVS 5.0 6.3.8).
        """
        stored = await self._load(username)
        check = await self._hasher.verify(
            password, stored.account.password_hash if stored else None
        )
        if stored is None or not check.matches or not stored.account.may_sign_in:
            return None
        if check.needs_rehash:
            await self._rehash(stored, password)
        elif stored.stale_key:
            await self._save(stored, stored.account)
        return stored.account

    async def create(
        self, username: str, password: str, *, admin: bool = False
    ) -> Account | BadUsername | BadPassword | NameTaken:
        """Make an account, or return why there is none."""
        user = canonical_username(username)
        if isinstance(user, BadUsername):
            return user
        if bad := _unfit(password, user):
            return bad
        if await self._accounts.load(user) or not await self._accounts.claim_look(user):
            return NameTaken()
        account = Account(
            user=user,
            password_hash=await self._hasher.hash(password),
            admin=admin,
            disabled=False,
            created_at=self._context.now(),
            spelling=spelling_of(username),
        )
        saved = await self._accounts.save(account, based_on=0, operation=self._context.new_id())
        return account if saved else NameTaken()

    async def set_password(self, user: str, password: str) -> BadPassword | None:
        """Replace the password of an existing account, or return why it was not."""
        if bad := _unfit(password, user):
            return bad
        password_hash = await self._hasher.hash(password)
        await self._update(
            user,
            lambda account: replace(
                account,
                password_hash=password_hash,
                password_changes=account.password_changes + 1,
            ),
        )
        return None

    async def set_disabled(self, user: str, *, disabled: bool) -> bool:
        """Disable or enable an account; return False if there is no such account."""
        return await self._update(user, lambda account: replace(account, disabled=disabled))

    async def find(self, user: str) -> Account | None:
        """Return the account of a user name, in any form that is accepted for it."""
        stored = await self._load(user)
        return stored.account if stored else None

    async def _load(self, username: str) -> StoredAccount | None:
        user = canonical_username(username)
        return None if isinstance(user, BadUsername) else await self._accounts.load(user)

    async def _update(self, name: str, change: Callable[[Account], Account]) -> bool:
        user = canonical_username(name)
        if isinstance(user, BadUsername):
            return False
        return await change_account(self._accounts, user, change, self._context.new_id) is not None

    async def _rehash(self, stored: StoredAccount, password: str) -> None:
        stronger = replace(stored.account, password_hash=await self._hasher.hash(password))
        await self._save(stored, stronger)

    async def _save(self, stored: StoredAccount, account: Account) -> None:
        """Write what sign-in improves. Losing against another writer is fine: the next does it."""
        await self._accounts.save(
            account, based_on=stored.revision, operation=self._context.new_id()
        )


def _unfit(password: str, user: str) -> BadPassword | None:
    if bad := check_password_shape(password):
        return bad
    if is_common(password, username=user):
        return BadPassword(
            "easy_to_guess", "This password is easy to guess. Choose a longer or less usual one."
        )
    return None
