"""A session as a sealed document.

The header carries the session's epoch, so that a script can see that everything in the shard was
ended since. The same epoch is in the box; a header that tells another one makes the record
unreadable. Redis TTLs only clean up.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, Final, cast

from server.core import strict_json
from server.core.session import Device, Json, Session, holding
from server.crypto.sealer import Sealer
from server.store.contract import Stored, Unreadable
from server.store.documents import DocumentCodec, UnreadableDocument

PURPOSE = "session record 1"

REMEMBERED_RECORDS: Final = 4096
REMEMBERED_BYTES: Final = 2048
"""Of a record at most. With the session in it, all together take up to 40 MB of a process."""

_FIELDS: Final = tuple(field.name for field in fields(Session))
_LEFT_OUT: Final[Mapping[str, Any]] = {
    "epoch": "",
    "generation": 1,
    "issued": 1,
    "issued_at": 0.0,
    "settles_at": 0.0,
    "refused_below": 1,
    "refused_until": None,
    "data": {},
    "two_factors": False,
    "remember": None,
    "spelling": "",
}
"""Values that are not written: they are the defaults that every version of the program reads in
their place. Without them a new session takes a sixth less of the store's memory."""
_MISSING: Final = object()


class SessionCodec:
    """Writes and reads session records.

    It remembers what is in the latest records that it has written or read, by all their bytes:
    opening and parsing these would come to the same. What the store holds is read each time all
    the same.

    Args:
        sealer: seals with the newest key, opens with all keys.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._documents = DocumentCodec(sealer, PURPOSE)
        self._remembered = lru_cache(REMEMBERED_RECORDS)(self._read)
        self._written: _Remembered | None = None

    def encode(self, session: Session, *, revision: int, operation: str) -> bytes:
        """Return the stored form of a session.

        Args:
            session: what to seal.
            revision: the number of this write, from 1.
            operation: the id of this write.
        """
        content = {
            name: value
            for name in _FIELDS
            if (value := getattr(session, name)) != _LEFT_OUT.get(name, _MISSING)
        }
        content["seed"] = b64encode(session.seed).decode("ascii")
        content["device"] = {"user_agent": session.device.user_agent, "ip": session.device.ip}
        value = self._documents.encode(
            content, session.sid, revision=revision, operation=operation, epoch=session.epoch
        )
        if len(value) <= REMEMBERED_BYTES:
            self._written = _Remembered.of(Stored(session, revision))
            self._remembered(value, session.sid)
            self._written = None
        return value

    def decode(self, value: bytes, sid: str) -> Stored | Unreadable:
        """Return the session in `value`, if it is intact and has this id.

        Args:
            value: any bytes.
            sid: the id in the record's key.
        """
        if len(value) > REMEMBERED_BYTES:
            return self._open(value, sid)
        found = self._remembered(value, sid)
        return found.stored if isinstance(found, _Remembered) else found

    def forget(self) -> None:
        """Forget what was written and read: other keys open other records."""
        self._remembered.cache_clear()

    def _read(self, value: bytes, sid: str) -> "_Remembered | Unreadable":
        if self._written is not None:
            return self._written
        found = self._open(value, sid)
        return found if isinstance(found, Unreadable) else _Remembered.of(found)

    def _open(self, value: bytes, sid: str) -> Stored | Unreadable:
        found = self._documents.decode(value, sid)
        if isinstance(found, UnreadableDocument):
            return Unreadable()
        session = _session(found.content)
        if session.sid != sid or session.epoch.encode() != found.epoch:
            return Unreadable()
        return Stored(session, found.revision, found.stale_key)


@dataclass(frozen=True, slots=True)
class _Remembered:
    """What is in a record.

    Attributes:
        known: the session, whose data a handler may have changed meanwhile.
        data: the data, as JSON; empty if there is none.
    """

    known: Stored
    data: str

    @classmethod
    def of(cls, stored: Stored) -> "_Remembered":
        """Remember a session as it is now."""
        data = stored.session.data
        return cls(stored, strict_json.encode(data) if data else "")

    @property
    def stored(self) -> Stored:
        """The session, with data of its own: an application may change it."""
        if not (self.data or self.known.session.data):
            return self.known
        data = cast("dict[str, Json]", strict_json.parse(self.data)) if self.data else {}
        known = self.known
        return Stored(holding(known.session, data), known.revision, known.stale_key)


def _session(content: Mapping[str, Any]) -> Session:
    """Fields that the record is too old to have, such as `two_factors`, get their default."""
    restored = {
        "seed": b64decode(content["seed"]),
        "device": Device(**content["device"]),
        "previous": tuple((first, until) for first, until in content["previous"]),
    }
    known = {name: content[name] for name in _FIELDS if name in content}
    return Session(**known | restored)
