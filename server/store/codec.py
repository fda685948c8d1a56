"""A session as bytes: JSON, sealed, behind a short readable header for the scripts.

The header `<revision> <operation id> <epoch>` lets a script compare without a key. Everything that
decides anything is inside the box, bound to its session id, so a record that was edited, or copied
under another key, does not open (P4). Redis TTLs only clean up.
"""

from base64 import b64decode, b64encode
from dataclasses import asdict, fields
from math import isfinite
from typing import Any, cast

from server.core import strict_json
from server.core.reasons import Reason
from server.core.session import Device, Session
from server.crypto.sealer import Sealer
from server.store.contract import Stored, Tombstone, Unreadable
from server.store.header import revision_of

PURPOSE = "session record 1"
"""Names the schema too: a record of another version is another purpose and does not open."""

_FIELDS = tuple(field.name for field in fields(Session))


class SessionCodec:
    """Writes and reads records.

    Args:
        sealer: seals with the newest key, opens with all.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def encode(self, session: Session, *, revision: int, operation: str) -> bytes:
        """The stored form of a record."""
        document = {name: getattr(session, name) for name in _FIELDS} | {
            "seed": b64encode(session.seed).decode("ascii"),
            "device": asdict(session.device),
        }
        plaintext = strict_json.encode(document).encode("ascii")
        box = self._sealer.seal(plaintext, purpose=PURPOSE, context=session.sid)
        return f"{revision} {operation} {session.epoch}\n".encode("ascii") + box

    def decode(self, value: bytes, sid: str) -> Stored | Unreadable:
        """The record in `value`, if it is one of this session and whole."""
        header, _, box = value.partition(b"\n")
        revision = revision_of(header)
        opened = self._sealer.open(box, purpose=PURPOSE, context=sid)
        if opened is None or revision is None:
            return Unreadable()
        session = _session(opened.plaintext)
        if session.sid != sid or session.epoch.encode() != header.rpartition(b" ")[2]:
            return Unreadable()
        return Stored(session, revision, stale_key=opened.stale)


def _session(plaintext: bytes) -> Session:
    """What was sealed by `encode`: authentic, so its shape is known.

    Records from before a session knew how its person was proved lack that.
    """
    document = cast("dict[str, Any]", strict_json.parse(plaintext))
    restored = {
        "seed": b64decode(document["seed"]),
        "device": Device(**document["device"]),
        "previous": tuple((first, until) for first, until in document["previous"]),
    }
    known = {name: document[name] for name in _FIELDS if name in document}
    return Session(**known | restored)


def read_moment(text: str) -> float:
    """Unix seconds as the scripts write them.

    Raises:
        ValueError: anything else; floats have texts that no JSON has.
    """
    moment = float(text)
    if not isfinite(moment):
        raise ValueError(text)
    return moment


def read_tombstone(value: bytes) -> Tombstone | None:
    """The end that `<end_id> <reason> <at>` tells of; None for anything else."""
    try:
        end_id, reason, at = value.decode("ascii").split(" ")
        return Tombstone(end_id, Reason(reason), read_moment(at))
    except ValueError:
        return None
