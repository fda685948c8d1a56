"""Everything that lies sealed in the store, by the key that sealed it; and sealing it again."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from redis.asyncio import Redis

from server.crypto.sealer import version_of_box
from server.store.accounts import AccountStore
from server.store.activity import ActivityStore
from server.store.connection import ask
from server.store.contract import Conflict, SessionStore, Stored, Unreadable
from server.store.names import ShardNames
from server.store.scanning import scan

AT_ONCE: Final = 50
"""Records read by one command: 64 KiB each at most."""
MAX_TRIES: Final = 8

Progress = Callable[[int], object]
"""Told how many records have been looked at."""


@dataclass(frozen=True, slots=True)
class SealedRecord:
    """A record in the store.

    Attributes:
        kind: `session`, `account` or `activity`.
        name: the session's id or the user's name.
        version: of the key that sealed it; None if it does not begin like a box of ours.
    """

    kind: str
    name: str
    version: int | None


class Resealed(Enum):
    """What became of a record."""

    DONE = auto()
    """It is under the newest key now, or is gone."""
    UNREADABLE = auto()
    """It does not open, so nobody misses it. It may be of a key that was dropped."""
    BUSY = auto()
    """Others kept writing it."""


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
        """How many records there are, by kind and version. Looks through the whole store.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        found: Counter[tuple[str, int | None]] = Counter()
        async for record in self.all():
            found[record.kind, record.version] += 1
            progress(found.total())
        return found

    async def all(self) -> AsyncIterator[SealedRecord]:
        """All records; one that is written meanwhile may come twice or not at all.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        for shard in range(self._sessions.shards):
            names = ShardNames(shard)
            for kind, beginning in (
                ("session", names.session("")),
                ("account", names.account("")),
                ("activity", names.activity("")),
            ):
                async for keys in scan(self._client, beginning + "*"):
                    for start in range(0, len(keys), AT_ONCE):
                        part = keys[start : start + AT_ONCE]
                        for each, version in zip(part, await self._versions(part), strict=True):
                            yield SealedRecord(kind, each.decode()[len(beginning) :], version)

    async def reseal(self, record: SealedRecord) -> Resealed:
        """Write a record again as it is, unless another writer was first: never one that ended.

        Raises:
            StoreUnavailable: the store did not answer; it is under one key or the other.
        """
        again = {
            "session": self._session,
            "account": self._account,
            "activity": self._recent_activity,
        }[record.kind]
        for _ in range(MAX_TRIES):
            if (result := await again(record.name)) is not None:
                return result
        return Resealed.BUSY

    async def sweep(self) -> None:
        """Remove records of sessions that ended with everything; they open nothing.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        for shard in range(self._sessions.shards):
            await self._sessions.sweep_shard(shard)

    async def _session(self, sid: str) -> Resealed | None:
        loaded = await self._sessions.load(sid)
        if isinstance(loaded, Unreadable):
            return Resealed.UNREADABLE
        if not isinstance(loaded, Stored) or not loaded.stale_key:
            return Resealed.DONE
        saved = await self._sessions.save(
            loaded.session, based_on=loaded.revision, operation=self._new_id()
        )
        return None if isinstance(saved, Conflict) else Resealed.DONE

    async def _account(self, user: str) -> Resealed | None:
        loaded = await self._accounts.load(user)
        if loaded is None:
            return Resealed.UNREADABLE
        if not loaded.stale_key:
            return Resealed.DONE
        saved = await self._accounts.save(
            loaded.account, based_on=loaded.revision, operation=self._new_id()
        )
        return Resealed.DONE if saved else None

    async def _recent_activity(self, user: str) -> Resealed | None:
        """It is kept for as long from now as if something had been added."""
        kept = await self._activity.load(user)
        if not kept.stale_key:
            return Resealed.DONE
        saved = await self._activity.save(
            user, kept.entries, based_on=kept.revision, operation=self._new_id()
        )
        return Resealed.DONE if saved else None

    async def _versions(self, keys: Sequence[bytes]) -> list[int | None]:
        values = await ask("read records", lambda: self._client.mget(keys))
        return [version_of_box((value or b"").partition(b"\n")[2]) for value in values]
