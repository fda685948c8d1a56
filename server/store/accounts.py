"""Accounts in the store. A copy of the store shows neither password hashes nor roles."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from redis.asyncio import Redis

from server.core.account import Account
from server.core.audit import Record
from server.core.errors import WriteConflict
from server.core.factors import Factors, Passkey, RecoveryCodes, Totp
from server.core.token import is_sid
from server.crypto.sealer import Sealer
from server.store.compare_and_set import MAX_TRIES, retry_conflicts
from server.store.connection import execute
from server.store.contract import Conflict
from server.store.documents import Document, DocumentCodec, UserDocuments
from server.store.names import ShardNames
from server.store.scripts import Scripts

PURPOSE = "account 1"


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """An account that was loaded.

    Attributes:
        account: the account.
        revision: the revision that a save must be based on.
        stale_key: whether it is sealed under an older key and should be written again.
    """

    account: Account
    revision: int
    stale_key: bool


class AccountStore:
    """Loads and saves accounts. Every method raises `StoreUnavailable` if the store fails.

    Args:
        client: the store.
        scripts: runs `save_account`.
        sealer: seals the accounts.
        shards: how many shards the store has.
        record: records in the audit trail that a user's account does not open.
    """

    def __init__(
        self,
        client: Redis,
        scripts: Scripts,
        sealer: Sealer,
        shards: int,
        record: Record,
    ) -> None:
        self._client = client
        self._shards = shards
        self._documents = UserDocuments(
            client,
            scripts,
            account_codec(sealer),
            "account",
            lambda user: self._names(user).account(user),
            record,
        )

    async def load(self, user: str) -> StoredAccount | None:
        """Return the account of a canonical user name; None if there is none that opens."""
        found = await self._documents.load(user)
        if not isinstance(found, Document):
            return None
        return StoredAccount(account_from(found.content), found.revision, found.stale_key)

    async def save(self, account: Account, *, based_on: int, operation: str) -> bool:
        """Write an account if the stored one still has revision `based_on`.

        A full store takes changes, so that an account can be disabled there, and no new accounts.

        Args:
            account: what to write.
            based_on: the revision that was loaded; 0 for a new account.
            operation: the id of this write; saving again with the same id is safe.

        Returns:
            Whether it was written.
        """
        names, handle = self._names(account.user), account.factors.handle
        if not based_on:
            # Refused without memory, as every SET is; XX writes nothing where nothing is.
            await execute("new account", lambda: self._client.set(names.room, "", xx=True))
        return await self._documents.save(
            account.user,
            asdict(account),
            based_on=based_on,
            operation=operation,
            keys=[names.handle(handle)] if handle else [],
            args=[account.user],
        )

    async def change(
        self,
        user: str,
        change: Callable[[Account], Account | None],
        new_id: Callable[[], str],
    ) -> Account | None:
        """Change an account, starting from what is stored at that moment.

        Args:
            user: canonical user name.
            change: returns what to write, or None to leave the account as it is. Called again if
                somebody else wrote in between.
            new_id: makes operation ids.

        Returns:
            The account as it was written; None if nothing was written.

        Raises:
            WriteConflict: other writers were first every time; nothing was written.
        """

        async def attempt() -> Account | Conflict | None:
            stored = await self.load(user)
            changed = change(stored.account) if stored else None
            if stored is None or changed is None:
                return None
            saved = await self.save(changed, based_on=stored.revision, operation=new_id())
            return changed if saved else Conflict()

        outcome = await retry_conflicts(attempt)
        if isinstance(outcome, Conflict):
            raise WriteConflict(user, MAX_TRIES)
        return outcome

    async def user_of_handle(self, handle: str) -> str | None:
        """Return the canonical name of the user that authenticators know by this handle."""
        if not is_sid(handle):
            return None
        key = ShardNames.of_session(handle).handle(handle)
        user = await execute("user of handle", lambda: self._client.get(key))
        return None if user is None else str(user.decode("ascii", errors="replace"))

    def _names(self, user: str) -> ShardNames:
        return ShardNames.of_user(user, self._shards)


def account_codec(sealer: Sealer) -> DocumentCodec:
    """Return what writes and reads the documents of accounts."""
    return DocumentCodec(sealer, PURPOSE)


def account_from(content: Mapping[str, Any]) -> Account:
    """Return the account in a document. Accounts from before second factors have no factors."""
    return Account(**{**content, "factors": _factors(content.get("factors", {}))})


def _factors(content: Mapping[str, Any]) -> Factors:
    totp, recovery = content.get("totp"), content.get("recovery")
    restored = {
        "totp": Totp(**totp) if totp else None,
        "passkeys": tuple(Passkey(**each) for each in content.get("passkeys", ())),
        "recovery": RecoveryCodes(recovery["key"], tuple(recovery["hashes"])) if recovery else None,
    }
    return Factors(**{**content, **restored})
