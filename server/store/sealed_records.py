"""Everything in the store that is sealed: which key sealed it, and sealing it under the newest."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from typing import Final

from redis.asyncio import Redis

from server.crypto.sealer import version_of_box
from server.store.accounts import AccountStore
from server.store.activity import ActivityStore
from server.store.compare_and_set import retry_conflicts
from server.store.connection import execute
from server.store.contract import Conflict, SessionStore, Stored, Unreadable
from server.store.names import ShardNames
from server.store.scanning import scan

RECORDS_PER_COMMAND: Final = 50
"""64 KiB each at most."""

Progress = Callable[[int], object]
"""Called with the number of records that have been looked at."""


@dataclass(frozen=True, slots=True)
class SealedRecord:
    """A record in the store.

    Attributes:
        kind: `session`, `account` or `activity`.
        name: the session's id or the user's name.
        version: of the key that sealed it; None if its bytes do not begin like a box of ours.
    """

    kind: str
    name: str
    version: int | None


class Resealed(Enum):
    """What became of a record."""

    DONE = auto()
    """It is under the newest key now, or is gone."""
    UNREADABLE = auto()
    """It does not open, so no one can use it. It may be under a retired key."""
    BUSY = auto()
    """Other writers were first every time."""


class SealedRecords:
    """Finds records, and writes them again under the newest key.

    Args:
        client: the store.
        sessions: loads and saves sessions.
        accounts: loads and saves accounts.
        activity: loads and saves recent activity.
        new_id: makes operation ids.
    """

    def __init__(
        self,
        client: Redis,
        sessions: SessionStore,
        accounts: AccountStore,
        activity: ActivityStore,
        new_id: Callable[[], str],
    ) -> None:
        self._client = client
        self._sessions = sessions
        self._accounts = accounts
        self._activity = activity
        self._new_id = new_id

    async def counts(self, progress: Progress) -> Counter[tuple[str, int | None]]:
        """Return how many records there are by kind and key version. Scans the whole store.

        Args:
            progress: called after each record.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        found: Counter[tuple[str, int | None]] = Counter()
        async for record in self.all():
            found[record.kind, record.version] += 1
            progress(found.total())
        return found

    async def all(self) -> AsyncIterator[SealedRecord]:
        """Yield all records. One that is written meanwhile may come twice or not at all.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        for shard in range(self._sessions.shards):
            names = ShardNames(shard)
            for kind, prefix in (
                ("session", names.session("")),
                ("account", names.account("")),
                ("activity", names.activity("")),
            ):
                async for keys in scan(self._client, prefix + "*"):
                    for start in range(0, len(keys), RECORDS_PER_COMMAND):
                        part = keys[start : start + RECORDS_PER_COMMAND]
                        for each, version in zip(part, await self._versions(part), strict=True):
                            yield SealedRecord(kind, each.decode()[len(prefix) :], version)

    async def reseal(self, record: SealedRecord) -> Resealed:
        """Write a record again with the same content, unless it has ended.

        Args:
            record: as `all` yields it.

        Raises:
            StoreUnavailable: the store did not answer. The record is under its old key or under the
                newest.
        """
        reseal = {
            "session": self._reseal_session,
            "account": self._reseal_account,
            "activity": self._reseal_activity,
        }[record.kind]
        outcome = await retry_conflicts(partial(reseal, record.name))
        return Resealed.BUSY if isinstance(outcome, Conflict) else outcome

    async def sweep(self) -> None:
        """Remove the records of sessions that ended with everything; they can open no more.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        for shard in range(self._sessions.shards):
            await self._sessions.sweep_shard(shard)

    async def _reseal_session(self, sid: str) -> Resealed | Conflict:
        loaded = await self._sessions.load(sid)
        if isinstance(loaded, Unreadable):
            return Resealed.UNREADABLE
        if not isinstance(loaded, Stored) or not loaded.stale_key:
            return Resealed.DONE
        saved = await self._sessions.save(
            loaded.session, based_on=loaded.revision, operation=self._new_id()
        )
        return saved if isinstance(saved, Conflict) else Resealed.DONE

    async def _reseal_account(self, user: str) -> Resealed | Conflict:
        loaded = await self._accounts.load(user)
        if loaded is None:
            return Resealed.UNREADABLE
        if not loaded.stale_key:
            return Resealed.DONE
        saved = await self._accounts.save(
            loaded.account, based_on=loaded.revision, operation=self._new_id()
        )
        return Resealed.DONE if saved else Conflict()

    async def _reseal_activity(self, user: str) -> Resealed | Conflict:
        """Seal a list again, which restarts its retention period as if an entry had been added."""
        loaded = await self._activity.load(user)
        if not loaded.stale_key:
            return Resealed.DONE
        saved = await self._activity.save(
            user, loaded.entries, based_on=loaded.revision, operation=self._new_id()
        )
        return Resealed.DONE if saved else Conflict()

    async def _versions(self, keys: Sequence[bytes]) -> list[int | None]:
        values = await execute("read records", lambda: self._client.mget(keys))
        return [version_of_box((value or b"").partition(b"\n")[2]) for value in values]
