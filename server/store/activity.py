"""Recent activity in the store: one sealed list for each account, written by compare-and-set.

Sealed whole, so that whoever can write to the store cannot take a single entry out unseen.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final, Protocol, cast

from redis.asyncio import Redis

from server.core import strict_json
from server.core.activity import ActivityEntry
from server.core.audit import AuditEvent
from server.crypto.sealer import Sealer
from server.store.connection import ask
from server.store.header import revision_of
from server.store.names import ShardNames, shard_of_user
from server.store.scripts import Scripts

PURPOSE = "activity 1"
KEPT: Final = timedelta(days=90)
"""From the latest entry: long enough to look back on a summer, and gone after that."""


@dataclass(frozen=True, slots=True)
class StoredActivity:
    """Entries, newest first; the revision a save is based on; whether an older key sealed it."""

    entries: tuple[ActivityEntry, ...] = ()
    revision: int = 0
    stale_key: bool = False


class ActivityStore(Protocol):
    """Where recent activity is. Raises `StoreUnavailable` like every store."""

    async def load(self, user: str) -> StoredActivity:
        """What is kept of a canonical name."""

    async def save(
        self, user: str, entries: Sequence[ActivityEntry], *, based_on: int, operation: str
    ) -> bool:
        """Replace it if it still is at revision `based_on`; whether it was."""


class ActivityCodec:
    """Writes and reads lists.

    Args:
        sealer: seals with the newest key, opens with all.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def encode(
        self, user: str, entries: Sequence[ActivityEntry], *, revision: int, operation: str
    ) -> bytes:
        """The stored form of a list."""
        plaintext = strict_json.encode({"entries": [asdict(each) for each in entries]})
        box = self._sealer.seal(plaintext.encode("ascii"), purpose=PURPOSE, context=user)
        return f"{revision} {operation} \n".encode("ascii") + box

    def decode(self, value: bytes, user: str) -> StoredActivity | int:
        """The list in `value`, if it is this user's and whole; else the revision to write over."""
        header, _, box = value.partition(b"\n")
        revision = revision_of(header)
        opened = self._sealer.open(box, purpose=PURPOSE, context=user)
        if opened is None or revision is None:
            return revision or 0
        return StoredActivity(_entries(opened.plaintext), revision, opened.stale)


class RedisActivityStore:
    """Implements `ActivityStore`.

    A list that does not open was tampered with, or sealed under a key that was dropped since. The
    next entry begins a new one.
    """

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
        self._codec = ActivityCodec(sealer)
        self._shards = shards
        self._unreadable = unreadable

    async def load(self, user: str) -> StoredActivity:
        value = await ask("load activity", lambda: self._client.get(self._key(user)))
        if value is None:
            return StoredActivity()
        kept = self._codec.decode(value, user)
        if isinstance(kept, StoredActivity):
            return kept
        self._unreadable(user)
        return StoredActivity(revision=kept)

    async def save(
        self, user: str, entries: Sequence[ActivityEntry], *, based_on: int, operation: str
    ) -> bool:
        value = self._codec.encode(user, entries, revision=based_on + 1, operation=operation)
        reply = await self._scripts.run(
            "save_activity",
            [self._key(user)],
            [operation, based_on, value, int(KEPT / timedelta(milliseconds=1))],
        )
        return bool(reply == b"saved")

    def _key(self, user: str) -> str:
        return ShardNames(shard_of_user(user, self._shards)).activity(user)


def _entries(plaintext: bytes) -> tuple[ActivityEntry, ...]:
    """What was sealed by `save`: authentic, so its shape is known; words of a newer version not."""
    document = cast("dict[str, Any]", strict_json.parse(plaintext))
    return tuple(
        ActivityEntry(**{**entry, "event": AuditEvent(entry["event"])})
        for entry in document["entries"]
        if entry["event"] in set(AuditEvent)
    )
