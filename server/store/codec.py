"""A session as a sealed document.

The header carries the session's epoch, so that a script can see that everything in the shard was
ended since. The same epoch is in the box; a header that tells another one makes the record
unreadable. Redis TTLs only clean up.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from functools import lru_cache
from typing import Any, Final

from server.core.session import Device, Json, Session
from server.crypto.sealer import Sealer
from server.store.contract import Stored, Unreadable
from server.store.documents import DocumentCodec, UnreadableDocument

PURPOSE = "session record 1"

REMEMBERED_RECORDS: Final = 4096
REMEMBERED_BYTES: Final = 2048
"""Of a record at most. With the session in it, all together take up to 40 MB of a process."""

_FIELDS = tuple(field.name for field in fields(Session))


class SessionCodec:
    """Writes and reads session records.

    It remembers what it has read of the latest records, by all their bytes: opening and parsing the
    same bytes again would come to the same. What the store holds is read each time all the same.

    Args:
        sealer: seals with the newest key, opens with all keys.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._documents = DocumentCodec(sealer, PURPOSE)
        self._remembered = lru_cache(REMEMBERED_RECORDS)(self._decode)

    def encode(self, session: Session, *, revision: int, operation: str) -> bytes:
        """Return the stored form of a session.

        Args:
            session: what to seal.
            revision: the number of this write, from 1.
            operation: the id of this write.
        """
        content = {name: getattr(session, name) for name in _FIELDS} | {
            "seed": b64encode(session.seed).decode("ascii"),
            "device": asdict(session.device),
        }
        return self._documents.encode(
            content, session.sid, revision=revision, operation=operation, epoch=session.epoch
        )

    def decode(self, value: bytes, sid: str) -> Stored | Unreadable:
        """Return the session in `value`, if it is intact and has this id.

        Args:
            value: any bytes.
            sid: the id in the record's key.
        """
        if len(value) > REMEMBERED_BYTES:
            return self._decode(value, sid)
        found = self._remembered(value, sid)
        if isinstance(found, Unreadable) or not found.session.data:
            return found
        data = {name: _copy(each) for name, each in found.session.data.items()}
        return replace(found, session=replace(found.session, data=data))

    def forget(self) -> None:
        """Forget what was read: other keys open other records."""
        self._remembered.cache_clear()

    def _decode(self, value: bytes, sid: str) -> Stored | Unreadable:
        found = self._documents.decode(value, sid)
        if isinstance(found, UnreadableDocument):
            return Unreadable()
        session = _session(found.content)
        if session.sid != sid or session.epoch.encode() != found.epoch:
            return Unreadable()
        return Stored(session, found.revision, found.stale_key)


def _copy(value: Json) -> Json:
    """Return a value of an application's own, which it may change."""
    if isinstance(value, dict):
        return {name: _copy(each) for name, each in value.items()}
    return [_copy(each) for each in value] if isinstance(value, list) else value


def _session(content: Mapping[str, Any]) -> Session:
    """Fields that the record is too old to have, such as `two_factors`, get their default."""
    restored = {
        "seed": b64decode(content["seed"]),
        "device": Device(**content["device"]),
        "previous": tuple((first, until) for first, until in content["previous"]),
    }
    known = {name: content[name] for name in _FIELDS if name in content}
    return Session(**known | restored)
