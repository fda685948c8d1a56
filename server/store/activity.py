"""Recent activity in the store: one sealed list for each account.

The list is sealed as a whole, so that whoever can write to the store cannot remove a single entry
without being noticed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final

from redis.asyncio import Redis

from server.core.activity import ActivityEntry
from server.core.audit import AuditEvent, Record
from server.core.durations import milliseconds
from server.core.session import Json
from server.crypto.sealer import Sealer
from server.store.connection import execute
from server.store.documents import Document, DocumentCodec, UnreadableDocument, UserDocuments
from server.store.names import ShardNames
from server.store.scripts import Scripts

PURPOSE = "activity 1"
RETENTION: Final = timedelta(days=90)
"""After the latest entry: long enough to look back after a summer's absence."""


@dataclass(frozen=True, slots=True)
class StoredActivity:
    """A list that was loaded.

    Attributes:
        entries: newest first.
        revision: the revision that a save must be based on.
        stale_key: whether it is sealed under an older key and should be written again.
    """

    entries: tuple[ActivityEntry, ...] = ()
    revision: int = 0
    stale_key: bool = False


class ActivityStore:
    """Loads and saves recent activity. Every method raises `StoreUnavailable` if the store fails.

    A list that does not open was edited, or is sealed under a retired key. The next entry begins a
    new list in its place.

    Args:
        client: the store.
        scripts: runs `save_activity`.
        sealer: seals the lists.
        shards: how many shards the store has.
        record: records in the audit trail that a user's list does not open.
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
            client, scripts, activity_codec(sealer), "activity", self._key, record
        )

    async def load(self, user: str) -> StoredActivity:
        """Return the list of a canonical user name; an empty one if there is none that opens."""
        match await self._documents.load(user):
            case Document() as found:
                return StoredActivity(entries_from(found.content), found.revision, found.stale_key)
            case UnreadableDocument(revision):
                return StoredActivity(revision=revision)
        return StoredActivity()

    async def save(
        self, user: str, entries: Sequence[ActivityEntry], *, based_on: int, operation: str
    ) -> bool:
        """Replace the list if the stored one still has revision `based_on`.

        Args:
            user: canonical user name.
            entries: newest first.
            based_on: the revision that was loaded.
            operation: the id of this write; saving again with the same id is safe.

        Returns:
            Whether it was written.
        """
        return await self._documents.save(
            user,
            content_of(entries),
            based_on=based_on,
            operation=operation,
            args=[milliseconds(RETENTION)],
        )

    async def remove(self, user: str) -> None:
        """Remove the list of a removed account that was kept elsewhere."""
        await execute("remove activity", lambda: self._client.delete(self._key(user)))

    def _key(self, user: str) -> str:
        return ShardNames.of_user(user, self._shards).activity(user)


def content_of(entries: Sequence[ActivityEntry]) -> dict[str, Json]:
    """Return the document that holds a list."""
    return {"entries": [asdict(each) for each in entries]}


def entries_from(content: Mapping[str, Any]) -> tuple[ActivityEntry, ...]:
    """Return the list in a document, without entries that only a newer version knows."""
    return tuple(
        ActivityEntry(**{**entry, "event": AuditEvent(entry["event"])})
        for entry in content["entries"]
        if entry["event"] in set(AuditEvent)
    )


def activity_codec(sealer: Sealer) -> DocumentCodec:
    """Return what writes and reads the lists of recent activity."""
    return DocumentCodec(sealer, PURPOSE)
