"""Accounts in the store: sealed like sessions, written by compare-and-set."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Protocol, cast

from redis.asyncio import Redis

from server.core import strict_json
from server.core.errors import WriteConflict
from server.core.factors import NO_FACTORS, Factors, Passkey, RecoveryCodes, Totp
from server.core.token import is_sid, shard_of_sid
from server.crypto.sealer import Sealer
from server.store.connection import ask
from server.store.header import revision_of
from server.store.names import ShardNames, shard_of_user
from server.store.scripts import Scripts

PURPOSE = "account 1"
MAX_TRIES: Final = 8


@dataclass(frozen=True, slots=True)
class Account:
    """What is kept of a user.

    Attributes:
        user: canonical name, and the id.
        password_hash: argon2id, in the modular crypt format.
        admin: may end other people's sessions and disable accounts.
        disabled: may not sign in.
        created_at: Unix seconds on the store's clock.
        password_changes: how often the password was replaced; a sign-in that waits for a second
            factor belongs to one of them.
        factors: what signing in takes besides the password.
    """

    user: str
    password_hash: str = field(repr=False)
    admin: bool
    disabled: bool
    created_at: float
    password_changes: int = 0
    factors: Factors = NO_FACTORS


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """An account, the revision that a save is based on, and whether an older key sealed it."""

    account: Account
    revision: int
    stale_key: bool


class AccountStore(Protocol):
    """Where accounts are. Raises `StoreUnavailable` like every store."""

    async def load(self, user: str) -> StoredAccount | None:
        """The account of a canonical name."""

    async def save(self, account: Account, *, based_on: int, operation: str) -> bool:
        """Write it if it still is at revision `based_on`, 0 for a new one; whether it was."""

    async def user_of_handle(self, handle: str) -> str | None:
        """The canonical name of whom authenticators know by this handle."""


class AccountCodec:
    """Writes and reads records.

    Args:
        sealer: seals with the newest key, opens with all.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def encode(self, account: Account, *, revision: int, operation: str) -> bytes:
        """The stored form of an account."""
        plaintext = strict_json.encode(asdict(account)).encode("ascii")
        box = self._sealer.seal(plaintext, purpose=PURPOSE, context=account.user)
        return f"{revision} {operation} \n".encode("ascii") + box

    def decode(self, value: bytes, user: str) -> StoredAccount | None:
        """The account in `value`, if it is this user's and whole."""
        header, _, box = value.partition(b"\n")
        revision = revision_of(header)
        opened = self._sealer.open(box, purpose=PURPOSE, context=user)
        if opened is None or revision is None:
            return None
        return StoredAccount(_account(opened.plaintext), revision, opened.stale)


class RedisAccountStore:
    """Implements `AccountStore`. A copy of the store shows neither hashes nor roles."""

    def __init__(
        self,
        client: Redis,
        scripts: Scripts,
        sealer: Sealer,
        shards: int,
        unreadable: Callable[[str], object],
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._codec = AccountCodec(sealer)
        self._shards = shards
        self._unreadable = unreadable

    async def load(self, user: str) -> StoredAccount | None:
        value = await ask("load account", lambda: self._client.get(self._names(user).account(user)))
        if value is None:
            return None
        stored = self._codec.decode(value, user)
        if stored is None:
            self._unreadable(user)
        return stored

    async def save(self, account: Account, *, based_on: int, operation: str) -> bool:
        value = self._codec.encode(account, revision=based_on + 1, operation=operation)
        names = self._names(account.user)
        handle = account.factors.handle
        reply = await self._scripts.run(
            "save_account",
            [names.account(account.user), *([names.handle(handle)] if handle else [])],
            [operation, based_on, value, account.user],
        )
        return bool(reply == b"saved")

    async def user_of_handle(self, handle: str) -> str | None:
        if not is_sid(handle):
            return None
        key = ShardNames(shard_of_sid(handle)).handle(handle)
        user = await ask("user of handle", lambda: self._client.get(key))
        return None if user is None else str(user.decode("ascii", errors="replace"))

    def _names(self, user: str) -> ShardNames:
        return ShardNames(shard_of_user(user, self._shards))


async def change_account(
    store: AccountStore,
    user: str,
    change: Callable[[Account], Account | None],
    new_id: Callable[[], str],
) -> Account | None:
    """Change an account, based on what it is at that moment.

    Args:
        store: where it is.
        user: canonical name.
        change: what is to be written; None leaves the account as it is. Asked again when somebody
            else wrote in between.
        new_id: makes operation ids.

    Returns:
        The account as it was written; None without one.

    Raises:
        WriteConflict: others kept winning; nothing was written.
    """
    for _ in range(MAX_TRIES):
        stored = await store.load(user)
        changed = change(stored.account) if stored else None
        if stored is None or changed is None:
            return None
        if await store.save(changed, based_on=stored.revision, operation=new_id()):
            return changed
    raise WriteConflict(user, MAX_TRIES)


def _account(plaintext: bytes) -> Account:
    """What was sealed; records from before an account could have second factors lack them."""
    document = cast("dict[str, Any]", strict_json.parse(plaintext))
    return Account(**document | {"factors": _factors(document.get("factors", {}))})


def _factors(document: dict[str, Any]) -> Factors:
    totp, recovery = document.get("totp"), document.get("recovery")
    return Factors(
        **document
        | {
            "totp": Totp(**totp) if totp else None,
            "passkeys": tuple(Passkey(**each) for each in document.get("passkeys", ())),
            "recovery": RecoveryCodes(recovery["key"], tuple(recovery["hashes"]))
            if recovery
            else None,
        }
    )
