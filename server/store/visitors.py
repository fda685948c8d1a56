"""The sessions of visitors without an account: written only where there is room for them.

Anybody can begin such a session, so what they take is counted by network and in all. The counting
is in the scripts, in the same step as the write, so that all nodes count together.
"""

import hmac
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from server.core import strict_json
from server.core.addresses import network_of
from server.core.session import Session
from server.core.visitors import VisitorLimits, bytes_of
from server.store.contract import (
    Conflict,
    Created,
    EpochChanged,
    Missing,
    NoRoom,
    Saved,
    Stored,
    Tombstone,
)
from server.store.names import ShardNames
from server.store.replies import read_tombstone
from server.store.scripts import Scripts

DIGEST_BYTES: Final = 16


class VisitorRecords:
    """Writes visitors' sessions. Methods raise `StoreUnavailable` if the store fails.

    Args:
        scripts: runs `create_visitor` and `save_visitor`.
        key: hashes networks, so that the store learns none.
        limits: of one shard.
        longest_life_ms: how long a record can live at most.
    """

    def __init__(
        self, scripts: Scripts, key: bytes, limits: VisitorLimits, longest_life_ms: int
    ) -> None:
        self._scripts = scripts
        self._key = key
        self._limits = limits
        self._longest_life_ms = longest_life_ms

    def use_key(self, key: bytes) -> None:
        """Hash networks with another key. The counts begin anew."""
        self._key = key

    async def create(
        self, session: Session, value: bytes, *, operation: str, ttl_ms: int
    ) -> Created | EpochChanged | Tombstone | NoRoom:
        """Write a new session.

        Args:
            session: the session.
            value: its sealed record.
            operation: the id of the write.
            ttl_ms: how long the record is kept.
        """
        names = ShardNames.of_session(session.sid)
        reply = await self._scripts.run(
            "create_visitor",
            [names.session(session.sid), names.tombstone(session.sid), names.epoch],
            [operation, session.epoch, value, *self._room(session, ttl_ms)],
        )
        match reply:
            case [b"created"]:
                return Created(Stored(session, 1), ())
            case [b"full", wait_ms]:
                return _no_room(wait_ms)
            case [b"ended", tombstone]:
                return read_tombstone(tombstone) or EpochChanged()
        return EpochChanged()

    async def save(
        self,
        session: Session,
        value: bytes,
        *,
        based_on: int,
        operation: str,
        ttl_ms: int,
        entry: Sequence[str | bytes],
    ) -> Saved | Conflict | Tombstone | Missing | NoRoom:
        """Replace a session's record.

        Args:
            session: the session.
            value: its sealed record.
            based_on: the revision that it is based on.
            operation: the id of the write.
            ttl_ms: how long the record is kept.
            entry: signed entry of an event, or nothing.
        """
        names = ShardNames.of_session(session.sid)
        keys = [names.session(session.sid), names.tombstone(session.sid), names.epoch]
        reply = await self._scripts.run(
            "save_visitor",
            [*keys, names.control],
            [operation, based_on, value, *self._room(session, ttl_ms), *entry],
        )
        match reply:
            case [b"full", wait_ms]:
                return _no_room(wait_ms)
        return read_saved(reply, based_on + 1)

    def _room(self, session: Session, ttl_ms: int) -> list[str | int]:
        """Return what the scripts' `claim_room` takes."""
        limits = self._limits
        return [
            session.sid,
            ttl_ms,
            self._longest_life_ms,
            bytes_of(session.data),
            _digest(session.seed, strict_json.encode(session.data)),
            _digest(self._key, network_of(session.device.ip)),
            limits.sessions_per_address,
            limits.bytes_per_address,
            limits.sessions_in_all,
            limits.bytes_in_all,
        ]


def read_saved(reply: Any, revision: int) -> Saved | Conflict | Tombstone | Missing:
    """Return what a script that saves a record replied.

    Args:
        reply: of the script.
        revision: that the record has if it was saved.
    """
    match reply:
        case [b"saved"]:
            return Saved(revision)
        case [b"conflict"]:
            return Conflict()
        case [b"ended", tombstone]:
            return read_tombstone(tombstone) or Missing()
    return Missing()


def _digest(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256")[:DIGEST_BYTES].hex()


def _no_room(wait_ms: int) -> NoRoom:
    return NoRoom(timedelta(milliseconds=wait_ms))
