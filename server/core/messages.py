"""The wire protocol of `/ws`: frames, close codes, and the parsing of what clients send.

Frames are JSON texts under the subprotocol `curfew.v1`. Times are Unix seconds, durations end in
`_ms`. `static/js/protocol.js` holds the same constants; a test keeps the two equal.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final

from server.core import strict_json
from server.core.reasons import NoSession, Reason
from server.core.session import Deadlines, Json, Session

SUBPROTOCOL: Final = "curfew.v1"
MAX_FRAME_BYTES: Final = 64 * 1024


class CloseCode(IntEnum):
    """Why a socket is closed. After 44xx, 1008 or 1009 a client stops; else it reconnects."""

    PROTOCOL = 1002
    POLICY = 1008
    TOO_BIG = 1009
    DRAIN = 1012
    OVERLOAD = 1013
    SESSION_ENDED = 4401
    NOT_ALLOWED = 4403
    TIMED_OUT = 4408
    UNVERIFIED = 4503
    TOO_SLOW = 4508


def close_code(reason: Reason | None) -> CloseCode:
    """Return the close code for a socket whose session ended for `reason`."""
    if reason in {Reason.IDLE_TIMEOUT, Reason.ABSOLUTE_TIMEOUT}:
        return CloseCode.TIMED_OUT
    return CloseCode.SESSION_ENDED


@dataclass(frozen=True, slots=True)
class PingFrame:
    """Asks for a `pong`. It is no activity: a forgotten tab must not keep a session alive."""


@dataclass(frozen=True, slots=True)
class ActivityFrame:
    """A person did something on the page."""


@dataclass(frozen=True, slots=True)
class MessageFrame:
    """Application data for all other sockets of the same user."""

    data: Json


@dataclass(frozen=True, slots=True)
class BadFrame:
    """A frame that breaks the protocol. The socket stays open and is told what was wrong."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class UnknownFrame(BadFrame):
    """A frame of another type. It may be one of rooms, or of the application's own.

    Attributes:
        kind: the type.
        fields: the other fields.
    """

    kind: str
    fields: dict[str, Json]


UNKNOWN_TYPE = BadFrame("unknown_type", "This server knows ping, activity and message.")
TOO_FAST = BadFrame("rate", "Too many frames in too short a time.")
"""The last frame to a client whose socket is closed for this."""
REAUTHENTICATION_REQUIRED = BadFrame(
    "reauthentication-required", "Prove your password again, then send this again."
)
UNAVAILABLE = BadFrame("unavailable", "The message may not have been sent; try again.")

INTERNAL = BadFrame("internal", "An error in the server. It was logged.")

ClientFrame = PingFrame | ActivityFrame | MessageFrame | BadFrame


def read_frame(text: str | bytes) -> ClientFrame:
    """Parse a client's frame. Never raise: whatever is no valid frame becomes a BadFrame."""
    if isinstance(text, bytes):
        return BadFrame("binary_frame", "Send JSON in text frames.")
    try:
        frame = strict_json.parse(text)
    except strict_json.NotJson:
        return BadFrame("bad_json", "The frame is not JSON.")
    if flaw := strict_json.flaw_of(frame):
        return BadFrame("bad_json", flaw)
    kind = frame.pop("type", None) if isinstance(frame, dict) else None
    if not isinstance(frame, dict) or not isinstance(kind, str):
        return BadFrame("bad_frame", "A frame is an object with a `type`.")
    return _typed(kind, frame)


def _typed(kind: str, fields: dict[str, Json]) -> ClientFrame:
    match kind, fields:
        case "ping", {} if not fields:
            return PingFrame()
        case "activity", {} if not fields:
            return ActivityFrame()
        case "message", {"data": data} if len(fields) == 1:
            return MessageFrame(data)
        case (("ping" | "activity" | "message"), _):
            return BadFrame("bad_fields", "This type has other fields; see the protocol page.")
    return UnknownFrame(UNKNOWN_TYPE.code, UNKNOWN_TYPE.detail, kind, fields)


def hello(
    connection: str, session: Session, until: Deadlines, now: float, retry_ms: tuple[int, int]
) -> str:
    """Build the first frame of every socket that was let in."""
    return _frame(
        "hello",
        connection=connection,
        session={"id": session.sid, "user": session.user, "generation": session.generation},
        now=now,
        idle_expires_at=until.idle_expires_at,
        absolute_expires_at=until.absolute_expires_at,
        retry={"min_ms": retry_ms[0], "max_ms": retry_ms[1]},
    )


def rotated(generation: int) -> str:
    """Build the frame for a changed cookie."""
    return _frame("rotated", generation=generation)


def expiring(reason: Reason, in_ms: int) -> str:
    """Build the warning that the session ends in `in_ms` unless a person does something."""
    return _frame("expiring", reason=reason.value, in_ms=in_ms)


def extended(until: Deadlines) -> str:
    """Build the frame for a deadline that has moved after a warning."""
    return _frame(
        "extended",
        idle_expires_at=until.idle_expires_at,
        absolute_expires_at=until.absolute_expires_at,
    )


@lru_cache(16)  # an end closes many sockets
def ended(no_session: NoSession) -> str:
    """Build the last frame before the close frame, for a socket whose session ended."""
    return _frame("ended", reason=no_session.word, event=no_session.end_id, at=no_session.at)


def sessions() -> str:
    """Build the frame for a change in the user's list of sessions, which clients fetch again."""
    return _frame("sessions")


def hold() -> str:
    """Build the frame of a node that cannot verify sessions now; nothing follows until `resume`."""
    return _frame("hold")


def resume() -> str:
    """Build the frame of a node that can verify sessions again."""
    return _frame("resume")


def drain(reconnect_in_ms: int) -> str:
    """Build the frame of a node that stops; clients reconnect after the given time."""
    return _frame("drain", reconnect_in_ms=reconnect_in_ms)


def message(sender: str, data: Json) -> str:
    """Build the frame with application data from another socket of the same user."""
    return _frame("message", **{"from": sender, "data": data})


def pong() -> str:
    """Build the answer to `ping`."""
    return _frame("pong")


def error(bad: BadFrame) -> str:
    """Build the answer to a frame that breaks the protocol."""
    return _frame("error", code=bad.code, detail=bad.detail)


def _frame(kind: str, **fields: Json) -> str:
    return strict_json.encode({"type": kind, **fields})
