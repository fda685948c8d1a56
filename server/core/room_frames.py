"""The frames of rooms and of what applications publish, beside those of `server.core.messages`."""

from dataclasses import dataclass
from typing import Final, Self

from server.core import strict_json
from server.core.messages import BadFrame
from server.core.rooms import RoomRefusal
from server.core.session import Json


@dataclass(frozen=True, slots=True)
class JoinFrame:
    """Asks to be in a room.

    Attributes:
        room: the name, as the client sent it.
        after: the position behind which kept messages are to be sent again; None for none.
    """

    room: Json
    after: str | None = None


@dataclass(frozen=True, slots=True)
class LeaveFrame:
    """Leaves a room with this socket."""

    room: Json


@dataclass(frozen=True, slots=True)
class PresenceFrame:
    """Asks who is in a room in which this socket is."""

    room: Json


@dataclass(frozen=True, slots=True)
class AcknowledgeFrame:
    """Acknowledges something that was published."""

    id: Json


RoomFrame = JoinFrame | LeaveFrame | PresenceFrame | AcknowledgeFrame
ROOM_TYPES: Final = frozenset({"join", "leave", "presence", "ack"})
BAD_FIELDS: Final = BadFrame("bad_fields", "This type has other fields; see the protocol page.")
UNKNOWN_MARK: Final = BadFrame("unknown_ack", "Nobody waits for this acknowledgement.")
DETAILS: Final = {
    RoomRefusal.BAD_NAME: "No room can have this name.",
    RoomRefusal.UNKNOWN: "There is no such room.",
    RoomRefusal.NOT_A_MEMBER: "You may not be in this room.",
    RoomRefusal.TOO_MANY_ROOMS: "This connection is in as many rooms as it may be.",
    RoomRefusal.BUSY: "The members of this room are changing; try again.",
}


class SharedFrame(str):
    """A frame that many sockets get.

    Attributes:
        topic: the room that it belongs to; a socket may leave that before the frame has gone out.
        wire: its bytes as sent, once a transport has made them.
    """

    __slots__ = ("topic", "wire")
    topic: str
    wire: bytes

    def __new__(cls, text: str, topic: str = "") -> Self:
        """Take the text of a frame."""
        frame = super().__new__(cls, text)
        frame.topic, frame.wire = topic, b""
        return frame


def read_room_frame(kind: str, fields: dict[str, Json]) -> RoomFrame | BadFrame | None:
    """Return the frame of a client; None if it is none of rooms.

    Args:
        kind: its type.
        fields: its other fields.
    """
    match kind, fields:
        case "join", {"room": room} if len(fields) == 1:
            return JoinFrame(room)
        case "join", {"room": room, "after": str(after)} if len(fields) == 2:  # noqa: PLR2004
            return JoinFrame(room, after)
        case "leave", {"room": room} if len(fields) == 1:
            return LeaveFrame(room)
        case "presence", {"room": room} if len(fields) == 1:
            return PresenceFrame(room)
        case "ack", {"id": mark} if len(fields) == 1:
            return AcknowledgeFrame(mark)
    return BAD_FIELDS if kind in ROOM_TYPES else None


def refusal(room: Json, why: RoomRefusal) -> str:
    """Build the answer to a frame about a room that was refused."""
    return _frame("error", code=why.value, detail=DETAILS[why], room=room)


def published(
    data: str, *, room: str = "", position: str = "", mark: str = "", replayed: bool = False
) -> str:
    """Build the frame with data that the application published.

    Args:
        data: the JSON text.
        room: the room, if it went to one.
        position: the place behind this message in the room.
        mark: the id by which the client acknowledges it; empty if nobody waits for that.
        replayed: whether it is from before the socket joined.
    """
    fields: dict[str, Json] = {"room": room, "position": position} if room else {}
    fields |= {"ack": mark} if mark else {}
    fields |= {"replayed": True} if replayed else {}
    return f'{_frame("published", **fields)[:-1]},"data":{data}}}'


def joined(room: str, position: str) -> str:
    """Build the frame for a socket that is in a room now; what is published later reaches it."""
    return _frame("joined", room=room, position=position)


def left(room: str, reason: str) -> str:
    """Build the frame for a socket that is not in a room any more; nothing of it follows.

    Args:
        room: the room.
        reason: `left`, `removed` or `deleted`; `unverified` if the store cannot say any more
            whether it may be in, so the client should ask again.
    """
    return _frame("left", room=room, reason=reason)


def lost(room: str, position: str) -> str:
    """Build the frame for messages of a room that did not reach this node."""
    return _frame("lost", room=room, position=position)


def replayed(room: str, position: str, *, complete: bool) -> str:
    """Build the frame behind the kept messages; if not `complete`, some are not kept any more."""
    return _frame("replayed", room=room, position=position, complete=complete)


def presence(room: str, user: str | None, session: str, *, has_come: bool) -> str:
    """Build the frame for a user or visitor who has come with a first socket, or gone."""
    change = "come" if has_come else "gone"
    return _frame("presence", room=room, user=user, session=session or None, change=change)


def present(room: str, people: list[Json]) -> str:
    """Build the answer to `presence`."""
    return _frame("present", room=room, people=people)


def _frame(kind: str, **fields: Json) -> str:
    return strict_json.encode({"type": kind, **fields})
