"""Accounts: who may sign in, with which password and role.

An application can use its own: the rest of the program asks only what `Accounts` says.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from server.accounts.outcomes import NameTaken
from server.core.account import Account
from server.core.context import NodeContext
from server.core.credentials import (
    BadPassword,
    BadUsername,
    canonical_username,
    check_password_shape,
)
from server.crypto.common_passwords import is_common
from server.crypto.passwords import PasswordHasher
from server.store.accounts import AccountStore, StoredAccount


class Accounts(Protocol):
    """Who may sign in. Methods raise `StoreUnavailable` when their backing cannot be asked."""

    async def verify(self, username: str, password: str) -> Account | None:
        """Return the account if name and password are right and it is not disabled.

        Unknown, wrong and disabled take the same time (ASVS 5.0 6.3.8).
        """

    async def create(
        self, username: str, password: str, *, admin: bool = False
    ) -> Account | BadUsername | BadPassword | NameTaken:
        """Make an account, or return why there is none."""

    async def set_password(self, user: str, password: str) -> BadPassword | None:
        """Replace the password of an existing account, or return why it was not."""

    async def set_disabled(self, user: str, *, disabled: bool) -> bool:
        """Disable or enable an account; return False if there is no such account."""

    async def find(self, user: str) -> Account | None:
        """Return the account of a user name, in any form that is accepted for it."""


class StoredAccounts:
    """`Accounts` in the session store, with argon2id passwords.

    Args:
        store: where accounts are.
        hasher: bounded argon2id.
        context: this node's clock and randomness.
    """

    def __init__(self, store: AccountStore, hasher: PasswordHasher, context: NodeContext) -> None:
        self._store = store
        self._hasher = hasher
        self._context = context

    async def verify(self, username: str, password: str) -> Account | None:
        stored = await self._load(username)
        check = await self._hasher.verify(
            password, stored.account.password_hash if stored else None
        )
        if stored is None or not check.matches or stored.account.disabled:
            return None
        if check.needs_rehash:
            await self._rehash(stored, password)
        elif stored.stale_key:
            await self._save(stored, stored.account)
        return stored.account

    async def create(
        self, username: str, password: str, *, admin: bool = False
    ) -> Account | BadUsername | BadPassword | NameTaken:
        user = canonical_username(username)
        if isinstance(user, BadUsername):
            return user
        if bad := _unfit(password, user):
            return bad
        if await self._store.load(user):
            return NameTaken()
        account = Account(
            user=user,
            password_hash=await self._hasher.hash(password),
            admin=admin,
            disabled=False,
            created_at=self._context.now(),
        )
        saved = await self._store.save(account, based_on=0, operation=self._context.new_id())
        return account if saved else NameTaken()

    async def set_password(self, user: str, password: str) -> BadPassword | None:
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
        return await self._update(user, lambda account: replace(account, disabled=disabled))

    async def find(self, user: str) -> Account | None:
        stored = await self._load(user)
        return stored.account if stored else None

    async def _load(self, username: str) -> StoredAccount | None:
        user = canonical_username(username)
        return None if isinstance(user, BadUsername) else await self._store.load(user)

    async def _update(self, name: str, change: Callable[[Account], Account]) -> bool:
        user = canonical_username(name)
        if isinstance(user, BadUsername):
            return False
        return await self._store.change(user, change, self._context.new_id) is not None

    async def _rehash(self, stored: StoredAccount, password: str) -> None:
        stronger = replace(stored.account, password_hash=await self._hasher.hash(password))
        await self._save(stored, stronger)

    async def _save(self, stored: StoredAccount, account: Account) -> None:
        """Write what sign-in improves. Losing against another writer is fine: the next does it."""
        await self._store.save(account, based_on=stored.revision, operation=self._context.new_id())


def _unfit(password: str, user: str) -> BadPassword | None:
    if bad := check_password_shape(password):
        return bad
    if is_common(password, username=user):
        return BadPassword(
            "easy_to_guess", "This password is easy to guess. Choose a longer or less usual one."
        )
    return None
