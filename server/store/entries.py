"""The entries of the streams: signed by the node that asked for a change, verified by every reader.

The store holds no key. So whoever can write to it can delete entries and repeat them, but cannot
make one. All fields are signed, in their order, except the two that only a script knows: when it
happened, and which sessions it found.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from server.core.context import NodeContext
from server.core.events import (
    Acknowledgement,
    DataPublished,
    EntryRejection,
    Event,
    MessageSent,
    RoomGranted,
    Scope,
    SessionExtended,
    SessionsChanged,
    SessionsEnded,
    TokenRotated,
)
from server.core.reasons import Reason
from server.crypto.keyring import Keyring
from server.crypto.signer import Signer
from server.store.replies import pairs, read_moment

PURPOSE: Final = "stream entry 1"
"""Names the schema too: an entry of another version has another purpose and is refused."""
MAX_DELAY: Final = 60.0
"""Seconds from the request to its entry. Nobody waits any more for a script that ran so late."""
MAX_CLOCK_AHEAD: Final = 5.0
"""Seconds by which a node may believe the store's clock to be ahead of what it is."""
RETRY_WINDOW: Final = 5.0
"""Seconds in which a script whose reply was lost may have run twice."""
MAX_REMEMBERED: Final = 10_000
"""Entries remembered to recognise a repeated one. It does no harm, but shows an attempt."""
MAX_ENTRY_BYTES: Final = 262_144
"""More than any entry of ours: a message has 64 KiB, an end of 1,000 sessions has 25 KiB."""
TOGETHER: Final = "together"
"""In an end: its initiator reads the acknowledgements that nodes write for all initiators."""
_UNSIGNED: Final = (b"at", b"sids", b"proof")
_ACKNOWLEDGEMENTS: Final = (b"done", b"acknowledged")

Fields = tuple[str | bytes, ...]
"""Alternating names and values, as `XADD` takes them."""
ReadEntry = Event | Acknowledgement | EntryRejection | None


class Entries:
    """Makes and reads entries.

    Args:
        keyring: the secret keys.
        context: this node's clock, and its id: an acknowledgement for another node is refused.
        steps: by how many seconds the store's clock was set lately. The node that signed an entry
            may not have noticed yet.
    """

    def __init__(
        self,
        keyring: Keyring,
        context: NodeContext,
        steps: Callable[[], Sequence[float]] = tuple,
    ) -> None:
        self._signer = Signer(keyring, PURPOSE)
        self._context = context
        self._steps = steps
        self._seen: OrderedDict[str, str] = OrderedDict()

    def sign_end(
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
        """Return the fields of an end that are known before its script runs.

        The script adds when it happened, and the session ids where `sids` is None.

        Args:
            scope: what is ended.
            end_id: the id of this end.
            initiator: the node that asks for it and waits for acknowledgements.
            reason: why.
            shard: where the sessions are.
            user: whose sessions; None for anonymous sessions and for everything.
            keep: a session of the user that goes on.
            sids: the session ids, separated by spaces, or `EVERYTHING`, where they are known.
        """
        trace = self._context.tracer.current()
        return self._signed(
            *("kind", "ended", "scope", scope.value, "event", end_id, "origin", initiator),
            *("reason", reason.value, "user", user or "", "shard", f"{shard:02d}"),
            *("keep", keep or "", *(() if sids is None else ("named", sids))),
            *("acks", TOGETHER),
            *(("trace", trace) if trace else ()),
        )

    def sign(self, event: Event) -> Fields:
        """Return the fields of an event.

        Raises:
            TypeError: the event is an end, which `sign_end` signs and a script completes.
        """
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
            case DataPublished() as data:
                return self._signed(
                    *("kind", "published", "user", data.user, "sid", data.sid),
                    *("connection", data.connection, "ack", data.mark),
                    *("node", data.publisher, "box", data.box),
                )
            case RoomGranted(user, sid, room):
                return self._signed("kind", "granted", "user", user, "sid", sid, "room", room)
            case SessionsEnded():
                message = "only scripts append ends"
                raise TypeError(message)

    def sign_acknowledgement(
        self, initiator: str | None, acknowledgement: Acknowledgement
    ) -> Fields:
        """Return the fields of an acknowledgement.

        Args:
            initiator: the node that asked for the ends; None for all nodes that asked for some.
            acknowledgement: what is acknowledged.
        """
        kind = ("acknowledged",) if initiator is None else ("done", "to", initiator)
        return self._signed(
            *("kind", *kind, "node", acknowledgement.node),
            *("closed", json.dumps(acknowledgement.closed)),
        )

    def read(self, entry: str, fields: Mapping[bytes, bytes]) -> ReadEntry:
        """Return what an entry says, or why it is refused.

        Args:
            entry: its id, which begins with the store's time in milliseconds.
            fields: untrusted.

        Returns:
            None for an entry that is ignored: a script's second run, or a kind that only a newer
            version knows.
        """
        try:
            if not self._is_genuine(fields):
                return EntryRejection.FORGED
            text = {name.decode(): _decoded(name, value) for name, value in fields.items()}
            asked_at = read_moment(text["asked_at"])
            if self._delay(entry, asked_at) > MAX_DELAY:
                return EntryRejection.LATE
            if self._seen.setdefault(text["proof"], entry) != entry:
                is_retry = self._context.now() - asked_at <= RETRY_WINDOW
                return None if is_retry else EntryRejection.REPEATED
            if len(self._seen) > MAX_REMEMBERED:
                self._seen.popitem(last=False)
            return self._read(text, fields)
        except (KeyError, ValueError, TypeError, AttributeError):
            return EntryRejection.FORGED

    def overhear(self, fields: Mapping[bytes, bytes]) -> Acknowledgement | None:
        """Return a genuine acknowledgement, whichever node it is for. Nobody may act on it.

        Args:
            fields: untrusted.
        """
        try:
            is_one = fields.get(b"kind") in _ACKNOWLEDGEMENTS and self._is_genuine(fields)
            return _read_acknowledgement(fields) if is_one else None
        except (KeyError, ValueError, TypeError, AttributeError):
            return None

    def _delay(self, entry: str, asked_at: float) -> float:
        """Return how long after its request an entry was appended, in seconds."""
        delay = self._appended_at(entry, asked_at) - asked_at
        before_a_step = (delay - step for step in self._steps())
        return min([delay, *(each for each in before_a_step if each >= -MAX_CLOCK_AHEAD)])

    def _appended_at(self, entry: str, asked_at: float) -> float:
        """Return when an entry was appended; now, if its id is impossible and so untrusted."""
        claimed, now = _time_of(entry), self._context.now()
        return claimed if asked_at - MAX_CLOCK_AHEAD <= claimed <= now else now

    def _signed(self, *fields: str | bytes) -> Fields:
        dated = (*fields, "asked_at", f"{self._context.now():.6f}")
        return (*dated, "proof", self._signer.sign(dated))

    def _is_genuine(self, fields: Mapping[bytes, bytes]) -> bool:
        if sum(len(name) + len(value) for name, value in fields.items()) > MAX_ENTRY_BYTES:
            return False
        signed = [part for pair in fields.items() if pair[0] not in _UNSIGNED for part in pair]
        return self._signer.verify(fields[b"proof"].decode("ascii"), signed)

    def _read(self, text: Mapping[str, str], fields: Mapping[bytes, bytes]) -> ReadEntry:
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
            case "published":
                return _read_published(text, fields[b"box"])
            case "granted":
                return RoomGranted(text["user"], text["sid"], text["room"])
            case "acknowledged":
                return _read_acknowledgement(fields)
            case "done":
                is_ours = text["to"] == self._context.node
                return _read_acknowledgement(fields) if is_ours else EntryRejection.FORGED
        return None  # genuine, of a newer version


def as_mapping(fields: Fields) -> dict[str | bytes, str | bytes]:
    """Return fields by name, as the client's `xadd` takes them."""
    return dict(pairs(fields))


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
        trace=text.get("trace", ""),
        is_heard_together=text.get("acks") == TOGETHER,
    )


def _read_acknowledgement(fields: Mapping[bytes, bytes]) -> Acknowledgement:
    closed = json.loads(fields[b"closed"].decode())
    return Acknowledgement(
        fields[b"node"].decode(), {str(end_id): int(n) for end_id, n in closed.items()}
    )


def _read_published(text: Mapping[str, str], box: bytes) -> DataPublished:
    return DataPublished(
        user=text["user"],
        sid=text["sid"],
        connection=text["connection"],
        mark=text["ack"],
        publisher=text["node"],
        box=box,
    )


def _decoded(name: bytes, value: bytes) -> str:
    """Return a value as text; a sealed box is no text."""
    return "" if name == b"box" else value.decode()


def _time_of(entry: str) -> float:
    return int(entry.partition("-")[0]) / 1000
