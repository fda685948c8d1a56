"""Accounts in the store: sealed like sessions, written by compare-and-set."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, cast

from redis.asyncio import Redis

from server.core import strict_json
from server.crypto.sealer import Sealer
from server.store.connection import ask
from server.store.names import ShardNames, shard_of_user
from server.store.scripts import Scripts

PURPOSE = "account 1"


@dataclass(frozen=True, slots=True)
class Account:
    """What is kept of a user.

    Attributes:
        user: canonical name, and the id.
        password_hash: argon2id, in the modular crypt format.
        admin: may end other people's sessions and disable accounts.
        disabled: may not sign in.
        created_at: Unix seconds on the store's clock.
    """

    user: str
    password_hash: str = field(repr=False)
    admin: bool
    disabled: bool
    created_at: float


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
        self._sealer = sealer
        self._shards = shards
        self._unreadable = unreadable

    async def load(self, user: str) -> StoredAccount | None:
        value = await ask("load account", lambda: self._client.get(self._key(user)))
        if value is None:
            return None
        header, _, box = value.partition(b"\n")
        opened = self._sealer.open(box, purpose=PURPOSE, context=user)
        if opened is None:
            self._unreadable(user)
            return None
        document = cast("dict[str, Any]", strict_json.parse(opened.plaintext))
        return StoredAccount(Account(**document), int(header.split(b" ")[0]), opened.stale)

    async def save(self, account: Account, *, based_on: int, operation: str) -> bool:
        plaintext = strict_json.encode(asdict(account)).encode("ascii")
        box = self._sealer.seal(plaintext, purpose=PURPOSE, context=account.user)
        reply = await self._scripts.run(
            "save_account",
            [self._key(account.user)],
            [operation, based_on, f"{based_on + 1} {operation} \n".encode("ascii") + box],
        )
        return bool(reply == b"saved")

    def _key(self, user: str) -> str:
        return ShardNames(shard_of_user(user, self._shards)).account(user)
