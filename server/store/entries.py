"""The entries of the streams: signed by whoever asked for a change, verified by whoever reads.

The store holds none of the keys, so who can write to it can take entries away and repeat them, and
make none. All fields are signed, in their order, but for the two that only a script knows: when it
happened, and which sessions it found.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from server.core.events import (
    Acknowledgement,
    EntryRejection,
    Event,
    MessageSent,
    Scope,
    SessionExtended,
    SessionsChanged,
    SessionsEnded,
    TokenRotated,
)
from server.core.reasons import Reason
from server.crypto.keyring import Keyring
from server.crypto.signer import Signer
from server.store.codec import read_moment

PURPOSE: Final = "stream entry 1"
"""Names the schema too: an entry of another version is another purpose and is refused."""
LATEST: Final = 60.0
"""Seconds between asking and the entry. A script that ran so late has nobody waiting for it."""
AHEAD: Final = 5.0
"""Seconds by which a node's idea of the store's clock may be ahead when it asks."""
RETRIED_WITHIN: Final = 5.0
"""Seconds in which a script whose reply was lost may have run twice."""
REMEMBERED: Final = 10_000
"""Entries, to know repeated ones by. They could do no harm, but show that somebody tries."""
MAX_ENTRY_BYTES: Final = 262_144
"""More than any entry of ours: a message has 64 KiB, an end of 1,000 sessions has 25 KiB."""
_UNSIGNED: Final = (b"at", b"sids", b"proof")

Fields = tuple[str | bytes, ...]
"""Names and values by turns, as `XADD` takes them."""
Read = Event | Acknowledgement | EntryRejection | None


class Entries:
    """Makes and reads entries.

    Args:
        keyring: the secret keys.
        now: the store's clock, in Unix seconds.
        node: this node's id; acknowledgements to others are none here.
    """

    def __init__(self, keyring: Keyring, now: Callable[[], float], node: str) -> None:
        self._signer = Signer(keyring, PURPOSE)
        self._now = now
        self._node = node
        self._seen: OrderedDict[str, str] = OrderedDict()

    def of_end(
        self,
        scope: Scope,
        *,
        end_id: str,
        initiator: str,
        reason: Reason,
        shard: int,
        user: str | None = None,
        keep: str | None = None,
        sids: str | None = None,
    ) -> Fields:
        """What is known of an end before its script runs; the script adds when it happened.

        It adds the session ids, too, where `sids` is None: only the script finds them.
        """
        return self._signed(
            *("kind", "ended", "scope", scope.value, "event", end_id, "origin", initiator),
            *("reason", reason.value, "user", user or "", "shard", f"{shard:02d}"),
            *("keep", keep or "", *(() if sids is None else ("named", sids))),
        )

    def of(self, event: Event) -> Fields:
        """An event that is no end."""
        match event:
            case TokenRotated(sid, generation):
                return self._signed("kind", "rotated", "sid", sid, "generation", str(generation))
            case SessionsChanged(user):
                return self._signed("kind", "changed", "user", user)
            case SessionExtended(sid):
                return self._signed("kind", "extended", "sid", sid)
            case MessageSent(user, connection, box):
                return self._signed(
                    "kind", "message", "user", user, "connection", connection, "box", box
                )
            case SessionsEnded():
                message = "ends are appended by the scripts that end"
                raise TypeError(message)

    def of_acknowledgement(self, initiator: str, acknowledgement: Acknowledgement) -> Fields:
        """A node's word to the initiator of some ends."""
        return self._signed(
            *("kind", "done", "to", initiator, "node", acknowledgement.node),
            *("closed", json.dumps(acknowledgement.closed)),
        )

    def read(self, entry: str, fields: Mapping[bytes, bytes]) -> Read:
        """What an entry says, why it is refused, or None if it need not be looked at again.

        Args:
            entry: its id, which begins with the store's time in milliseconds.
            fields: of any hand.
        """
        try:
            if not self._is_genuine(fields):
                return EntryRejection.FORGED
            text = {name.decode(): _decoded(name, value) for name, value in fields.items()}
            asked_at = read_moment(text["asked_at"])
            if self._appeared_at(entry, asked_at) - asked_at > LATEST:
                return EntryRejection.LATE
            if self._seen.setdefault(text["proof"], entry) != entry:
                is_retry = self._now() - asked_at <= RETRIED_WITHIN
                return None if is_retry else EntryRejection.REPEATED
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
            return self._read(text, fields)
        except (KeyError, ValueError, TypeError, AttributeError):
            return EntryRejection.FORGED

    def _appeared_at(self, entry: str, asked_at: float) -> float:
        """When an entry came; now, if its id says what cannot be: ids may be of any hand, too."""
        said, now = _time_of(entry), self._now()
        return said if asked_at - AHEAD <= said <= now else now

    def _signed(self, *fields: str | bytes) -> Fields:
        dated = (*fields, "asked_at", f"{self._now():.6f}")
        return (*dated, "proof", self._signer.sign(dated))

    def _is_genuine(self, fields: Mapping[bytes, bytes]) -> bool:
        if sum(len(name) + len(value) for name, value in fields.items()) > MAX_ENTRY_BYTES:
            return False
        signed = [part for pair in fields.items() if pair[0] not in _UNSIGNED for part in pair]
        return self._signer.verify(fields[b"proof"].decode("ascii"), signed)

    def _read(self, text: Mapping[str, str], fields: Mapping[bytes, bytes]) -> Read:
        match text["kind"]:
            case "ended":
                return _read_end(text)
            case "rotated":
                return TokenRotated(text["sid"], int(text["generation"]))
            case "changed":
                return SessionsChanged(text["user"])
            case "extended":
                return SessionExtended(text["sid"])
            case "message":
                return MessageSent(text["user"], text["connection"], fields[b"box"])
            case "done" if text["to"] == self._node:
                closed = {str(end_id): int(n) for end_id, n in json.loads(text["closed"]).items()}
                return Acknowledgement(text["node"], closed)
            case "done":
                return EntryRejection.FORGED
        return None  # ours, but of a newer version


def in_pairs(flat: Sequence[str | bytes]) -> Iterable[tuple[str | bytes, str | bytes]]:
    """Names with their values."""
    return zip(flat[::2], flat[1::2], strict=True)


def _read_end(text: Mapping[str, str]) -> SessionsEnded:
    return SessionsEnded(
        scope=Scope(text["scope"]),
        end_id=text["event"],
        initiator=text["origin"],
        reason=Reason(text["reason"]),
        asked_at=read_moment(text["asked_at"]),
        user=text["user"] or None,
        shard=int(text["shard"]),
        keep=text["keep"],
        at=read_moment(text["at"]),
        sids=tuple((text["named"] if "named" in text else text["sids"]).split()),
    )


def _decoded(name: bytes, value: bytes) -> str:
    return "" if name == b"box" else value.decode()


def _time_of(entry: str) -> float:
    return int(entry.partition("-")[0]) / 1000
