"""Recent activity in the store: one sealed list for each account, written by compare-and-set.

Sealed whole, so that whoever can write to the store cannot take a single entry out unseen.
"""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final, Protocol, cast

from redis.asyncio import Redis

from server.core import strict_json
from server.core.activity import Activity
from server.core.audit import AuditEvent
from server.crypto.sealer import Sealer
from server.store.connection import ask
from server.store.names import ShardNames, shard_of_user
from server.store.scripts import Scripts

log = logging.getLogger("curfew.activity")

PURPOSE = "activity 1"
KEPT: Final = timedelta(days=90)
"""From the latest entry: long enough to look back on a summer, and gone after that."""
MAX_DIGITS: Final = 15
"""Of a revision; Lua counts no further."""


@dataclass(frozen=True, slots=True)
class KeptActivity:
    """Entries, newest first; the revision a save is based on; whether an older key sealed it."""

    entries: tuple[Activity, ...] = ()
    revision: int = 0
    stale_key: bool = False


class ActivityStore(Protocol):
    """Where recent activity is. Raises `StoreUnavailable` like every store."""

    async def load(self, user: str) -> KeptActivity:
        """What is kept of a canonical name."""

    async def save(
        self, user: str, entries: Sequence[Activity], *, based_on: int, operation: str
    ) -> bool:
        """Replace it if it still is at revision `based_on`; whether it was."""


class RedisActivityStore:
    """Implements `ActivityStore`."""

    def __init__(self, client: Redis, scripts: Scripts, sealer: Sealer, shards: int) -> None:
        self._client = client
        self._scripts = scripts
        self._sealer = sealer
        self._shards = shards

    async def load(self, user: str) -> KeptActivity:
        value = await ask("load activity", lambda: self._client.get(self._key(user)))
        if value is None:
            return KeptActivity()
        header, _, box = value.partition(b"\n")
        revision = header.split(b" ")[0]
        number = int(revision) if revision.isdigit() and len(revision) <= MAX_DIGITS else 0
        opened = self._sealer.open(box, purpose=PURPOSE, context=user)
        if opened is None:
            # Tampered with, or sealed under a key that was retired since. The next entry begins
            # a new list.
            log.warning("recent activity does not open", extra={"user": user})
            return KeptActivity((), number)
        return KeptActivity(_entries(opened.plaintext), number, opened.stale)

    async def save(
        self, user: str, entries: Sequence[Activity], *, based_on: int, operation: str
    ) -> bool:
        plaintext = strict_json.encode({"entries": [asdict(each) for each in entries]})
        box = self._sealer.seal(plaintext.encode("ascii"), purpose=PURPOSE, context=user)
        value = f"{based_on + 1} {operation} \n".encode("ascii") + box
        reply = await self._scripts.run(
            "save_activity",
            [self._key(user)],
            [operation, based_on, value, int(KEPT / timedelta(milliseconds=1))],
        )
        return bool(reply == b"saved")

    def _key(self, user: str) -> str:
        return ShardNames(shard_of_user(user, self._shards)).activity(user)


def _entries(plaintext: bytes) -> tuple[Activity, ...]:
    """What was sealed by `save`: authentic, so its shape is known; words of a newer version not."""
    document = cast("dict[str, Any]", strict_json.parse(plaintext))
    return tuple(
        Activity(**{**entry, "event": AuditEvent(entry["event"])})
        for entry in document["entries"]
        if entry["event"] in set(AuditEvent)
    )
