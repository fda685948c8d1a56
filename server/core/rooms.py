"""Rooms: topics with members, what one can publish to, and what is told of it.

The order of everything in a room is the order of its numbers. The store's scripts give them, one to
each message, removal and change of presence; so what follows a removal has a higher number.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from server.core import strict_json
from server.core.durations import milliseconds
from server.core.session import Json

MAX_NAME_BYTES: Final = 200
MAX_DATA_BYTES: Final = 64 * 1024
"""Of the JSON text of what is published: as much as a frame from a client may have."""
MAX_KEPT: Final = 1_000
"""Messages kept for replay in one room."""
MAX_ROOMS: Final = 1_000_000
"""In one store. Each takes about 300 bytes in it: `python -m benchmarks.parts.million_rooms`."""
MAX_MEMBERS: Final = 100_000
"""That the server added to one room."""
MAX_ROOMS_OF_MEMBER: Final = 1_000
"""To which the server added one user or session. Each is entered for each first socket."""
MAX_ROOMS_OF_SOCKET: Final = 1_000
"""That one socket is in."""
MAX_DIGITS: Final = 20
"""Of a number in a position, which clients send: Python refuses to read thousands of them."""


class RoomRefusal(StrEnum):
    """Why something about rooms was not done."""

    BAD_NAME = "bad_room"
    """No room can have this name."""
    BAD_MEMBER = "bad_member"
    """This names neither a user nor a session, or both; or a socket without its id."""
    UNKNOWN = "unknown_room"
    """There is no such room."""
    NOT_A_MEMBER = "not_a_member"
    """Whoever asks is not in the room, and may not join it."""
    TOO_LARGE = "too_large"
    """The data is larger than a frame may be."""
    NOT_JSON = "not_json"
    """The data cannot be written as JSON."""
    TOO_MANY_ROOMS = "too_many_rooms"
    """The store, the member or the socket has as many rooms as it may have."""
    TOO_MANY_MEMBERS = "too_many_members"
    """The room has as many members as it may have."""
    SESSION_ENDED = "session_ended"
    """There is no live session with this id."""
    BUSY = "room_busy"
    """Members of the room kept being removed while somebody asked to join. Ask again."""


@dataclass(frozen=True, slots=True)
class RoomOptions:
    """What a room does besides delivering messages.

    Attributes:
        presence: whether its sockets are told who comes and goes.
        keep: how many messages are kept for replay; 0 keeps none, unless `keep_for` is set.
        keep_for: how long they are kept; None for no limit but `keep`.
    """

    presence: bool = False
    keep: int = 0
    keep_for: timedelta | None = None

    @property
    def kept(self) -> int:
        """How many messages are kept at most."""
        wanted = self.keep or (MAX_KEPT if self.keep_for else 0)
        return max(0, min(wanted, MAX_KEPT))

    @property
    def kept_ms(self) -> int:
        """For how many milliseconds messages are kept; 0 for no limit."""
        return max(1, milliseconds(self.keep_for)) if self.keep_for else 0


@dataclass(frozen=True, slots=True)
class ToRoom:
    """Everybody who is in a room."""

    name: str


@dataclass(frozen=True, slots=True)
class ToUser:
    """All sockets of a user, by the canonical name."""

    user: str


@dataclass(frozen=True, slots=True)
class ToSession:
    """All sockets of a session."""

    sid: str


@dataclass(frozen=True, slots=True)
class ToSocket:
    """One socket of a session, by the `connection` of its `hello`."""

    sid: str
    connection: str


Target = ToRoom | ToUser | ToSession | ToSocket


@dataclass(frozen=True, slots=True)
class Published:
    """Something was published.

    Attributes:
        position: its place in the room, for a replay; empty if it went to no room.
        acknowledged: ids of the sockets whose clients acknowledged it in time.
    """

    position: str = ""
    acknowledged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Present:
    """Who is in a room with open sockets.

    Attributes:
        user: the user; None for a session of a visitor.
        session: the id of the visitor's session; empty for a user.
        sockets: how many tabs.
    """

    user: str | None
    session: str
    sockets: int

    @property
    def who(self) -> str:
        """The user's name; for a visitor, the id of the session."""
        return self.session if self.user is None else self.user


@dataclass(frozen=True, slots=True)
class Member:
    """A session, and who owns it; as in a room."""

    user: str
    """Empty for a visitor."""
    sid: str


NOBODY: Final = Member("", "")


class RoomLife(NamedTuple):
    """Names the numbers of a room: those of another life are others.

    Attributes:
        history: of the server that gives them.
        epoch: names the room; one that is deleted and made again has another.
    """

    history: str
    epoch: str


class EntryMode(StrEnum):
    """What lets sessions into a room."""

    GRANTED = "granted"
    """The server has added the user or the session."""
    CHECKED = "checked"
    """The application's check said yes, and nobody was removed since before it."""
    AGAIN = "again"
    """They were in before, and have not been removed since."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """The answer to sessions that ask to be in a room.

    Attributes:
        history: of the server that answered.
        epoch: names the life of the room; a room that is made again has another one.
        number: of the latest thing in the room. What comes later is delivered.
        messages: the number of the latest message.
        is_in: for each session, in their order, whether it is in now.
        listened: whether the node was told before what happens in the room. If not, others may
            have taken it for gone, and it has missed everything up to `number`.
    """

    history: str
    epoch: str
    number: int
    messages: int
    is_in: tuple[bool, ...]
    listened: bool = True

    @property
    def life(self) -> RoomLife:
        """What its numbers belong to."""
        return RoomLife(self.history, self.epoch)


@dataclass(frozen=True, slots=True)
class RemovedMeanwhile:
    """Somebody was removed since the check began, so its result may be out of date."""


@dataclass(frozen=True, slots=True)
class Overtaken:
    """The node has set its numbers of sockets by a later request: this one changed nothing."""


def flaw_of_name(name: object) -> RoomRefusal | None:
    """Return why no room can have this name; None if one can.

    A name is text of 1 to 200 bytes in UTF-8 without control characters, so that it can stand in
    frames and log lines as it is.
    """
    if not isinstance(name, str) or not name or len(name) > MAX_NAME_BYTES:
        return RoomRefusal.BAD_NAME
    try:
        is_short = len(name.encode()) <= MAX_NAME_BYTES
    except UnicodeEncodeError:  # half a character
        return RoomRefusal.BAD_NAME
    return None if is_short and name.isprintable() else RoomRefusal.BAD_NAME


def digest_of(name: str) -> str:
    """Return the name as it stands in keys: short, and without any special character."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def text_of(data: Json) -> str | RoomRefusal:
    """Return data as JSON text, or why it cannot be published."""
    try:
        text = strict_json.encode(data)
    except strict_json.NotJson:
        return RoomRefusal.NOT_JSON
    if len(text) > MAX_DATA_BYTES:
        return RoomRefusal.TOO_LARGE
    return RoomRefusal.NOT_JSON if strict_json.flaw_of(data) else text


def position_of(history: str, epoch: str, message: int) -> str:
    """Return a place in a room as clients hold it: it is good in one history of the store only."""
    return f"{epoch}{hashlib.sha256(history.encode()).hexdigest()[:8]}.{message}"


def message_after(position: str, history: str, epoch: str) -> int | None:
    """Return the number of the message at a position; None if it is a place in another history."""
    place, _, number = position.partition(".")
    is_ours = place == position_of(history, epoch, 0).partition(".")[0]
    is_number = number.isascii() and number.isdigit() and len(number) <= MAX_DIGITS
    return int(number) if is_ours and is_number else None
