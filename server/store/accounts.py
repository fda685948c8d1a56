"""Accounts in the store. A copy of the store shows neither password hashes nor roles."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from redis.asyncio import Redis

from server.core.account import Account, PendingEnd
from server.core.audit import Record
from server.core.durations import milliseconds
from server.core.factors import Factors, Passkey, RecoveryCodes, Totp
from server.core.reasons import Reason
from server.core.token import is_sid
from server.crypto.sealer import Sealer
from server.store.absence import is_kept
from server.store.account_contract import StoredAccount
from server.store.connection import execute
from server.store.documents import Document, DocumentCodec, UserDocuments
from server.store.names import ShardNames
from server.store.scripts import Scripts
from server.store.sessions import ENDS_REMEMBERED

PURPOSE = "account 1"
RARE: Final = frozenset({"spelling", "moving_to", "moved_from", "pending_end"})
"""Attributes that are left out while they are empty: earlier versions do not know them."""


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
            lambda user: self.names(user).account(user),
            record,
        )

    async def load(self, user: str) -> StoredAccount | None:
        """Return the account of a canonical user name; None if there is none that opens."""
        found = await self._documents.load(user)
        if not isinstance(found, Document):
            return None
        return StoredAccount(account_from(found.content), found.revision, found.stale_key)

    async def load_to_change(self, user: str) -> StoredAccount | None:
        """Return an account that is about to be changed; that there is none is what a master says.

        A sign-in does not ask so. Its try was counted before, which only a master does, and a name
        without an account must not take longer than a wrong password.
        """
        stored = await self.load(user)
        if stored is None and await self.exists(user):
            return await self.load(user)
        return stored

    async def exists(self, user: str) -> bool:
        """Return whether a canonical user name has an account, even if that does not open.

        It is what a master says: the name, or how it looks, may be given to others by it.
        """
        names = self.names(user)
        return await is_kept(self._client, "account exists", names, names.account(user))

    async def create(self, account: Account, *, operation: str) -> bool:
        """Write an account that nobody has, as `save` does, and begin an epoch of its user with it.

        So a sign-in to an account that a failover has lost gets no session under a name that was
        given away again.
        """
        return await self._save(account, 0, operation, epoch_ms=milliseconds(ENDS_REMEMBERED))

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
        return await self._save(account, based_on, operation, epoch_ms=0)

    async def _save(
        self, account: Account, based_on: int, operation: str, *, epoch_ms: int
    ) -> bool:
        names = self.names(account.user)
        revision = based_on + 1 if based_on else await self._first_revision(names, account.user)
        saved = await self._documents.save(
            account.user,
            content_of(account),
            based_on=based_on,
            revision=revision,
            operation=operation,
            keys=[
                *(names.accounts, names.activity(account.user), names.removed(account.user)),
                names.user_epoch(account.user),
                *self.handle_keys(account),
            ],
            args=[account.user, revision, epoch_ms],
        )
        if saved and account.admin:
            await self.note_administrator(account.user)
        return saved

    async def note_administrator(self, user: str) -> None:
        """Note that an account is an administrator's; see `AccountIndex`."""
        key = ShardNames(0).administrators
        await execute("note administrator", lambda: self._client.hset(key, user, "1"))

    def sealed(self, account: Account, *, revision: int, operation: str) -> bytes:
        """Return the stored form of an account, for a script that does more than write it."""
        return self._documents.sealed(
            account.user, content_of(account), revision=revision, operation=operation
        )

    def names(self, user: str) -> ShardNames:
        """Return the names in the shard of a user."""
        return ShardNames.of_user(user, self._shards)

    def handle_keys(self, account: Account) -> list[str]:
        """Return the key of the account's handle, if it leads here and is in the user's shard.

        An account that was renamed keeps its handle, in the shard of its former name. The handle of
        one that is being renamed leads to the new name already.
        """
        handle, names = account.factors.handle, self.names(account.user)
        if not handle or account.moving_to or ShardNames.of_session(handle) != names:
            return []
        return [names.handle(handle)]

    async def point_handle(self, handle: str, user: str) -> None:
        """Have a handle lead to another user, after a rename; to nobody if `user` is empty."""
        key = ShardNames.of_session(handle).handle(handle)
        if user:
            await execute("point handle", lambda: self._client.set(key, user))
        else:
            await execute("remove handle", lambda: self._client.delete(key))

    async def user_of_handle(self, handle: str) -> str | None:
        """Return the canonical name of the user that authenticators know by this handle.

        That there is none is what a master says: no try was counted before.
        """
        if not is_sid(handle):
            return None
        names = ShardNames.of_session(handle)
        key = names.handle(handle)
        user = await execute("user of handle", lambda: self._client.get(key))
        if user is None and await is_kept(self._client, "user of handle", names, key):
            user = await execute("user of handle", lambda: self._client.get(key))
        return None if user is None else str(user.decode(errors="replace"))

    async def _first_revision(self, names: ShardNames, user: str) -> int:
        """Return where the revisions of a new account begin: above those of a removed one."""
        # Refused without memory, as every SET is; XX writes nothing where nothing is.
        await execute("new account", lambda: self._client.set(names.room, "", xx=True))
        removed = await execute("removed", lambda: self._client.get(names.removed(user)))
        return int(removed or 0) + 1


def account_codec(sealer: Sealer) -> DocumentCodec:
    """Return what writes and reads the documents of accounts."""
    return DocumentCodec(sealer, PURPOSE)


def content_of(account: Account) -> dict[str, Any]:
    """Return the document of an account. What few accounts have is only in theirs."""
    content = asdict(account)
    return {name: each for name, each in content.items() if each or name not in RARE}


def account_from(content: Mapping[str, Any]) -> Account:
    """Return the account in a document. Accounts from before second factors have no factors."""
    restored: dict[str, Any] = {"factors": _factors(content.get("factors", {}))}
    if end := content.get("pending_end"):
        restored["pending_end"] = PendingEnd(end["end_id"], Reason(end["reason"]), end["removes"])
    return Account(**{**content, **restored})


def _factors(content: Mapping[str, Any]) -> Factors:
    totp, recovery = content.get("totp"), content.get("recovery")
    restored = {
        "totp": Totp(**totp) if totp else None,
        "passkeys": tuple(Passkey(**each) for each in content.get("passkeys", ())),
        "recovery": RecoveryCodes(recovery["key"], tuple(recovery["hashes"])) if recovery else None,
    }
    return Factors(**{**content, **restored})
