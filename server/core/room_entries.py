"""What happens in a room, as each node with sockets in it is told."""

from dataclasses import dataclass

from server.core.rooms import Member


@dataclass(frozen=True, slots=True)
class RoomEntry:
    """Something that happened in a room, as each node with sockets in it is told.

    Attributes:
        room: the room's digest.
        number: its place in the room.
        what: what happened.
        epoch: of the room; empty if an older version wrote it.
    """

    room: str
    number: int
    what: "RoomMessage | RoomRemoval | RoomPresence | RoomDeleted"
    epoch: str = ""


@dataclass(frozen=True, slots=True)
class RoomMessage:
    """Data was published.

    Attributes:
        message: counts the messages of the room.
        box: the JSON text, sealed.
        mark: id by which clients acknowledge it; empty if nobody waits for that.
        publisher: the node that waits.
    """

    message: int
    box: bytes
    mark: str = ""
    publisher: str = ""


@dataclass(frozen=True, slots=True)
class RoomRemoval:
    """A user, or only one session, was removed."""

    user: str
    sid: str = ""

    def concerns(self, member: Member) -> bool:
        """Return whether a session is out of the room by this."""
        return member.sid == self.sid if self.sid else member.user == self.user


@dataclass(frozen=True, slots=True)
class RoomPresence:
    """A user or a visitor came with the first socket, or left with the last one."""

    user: str | None
    session: str
    has_come: bool


@dataclass(frozen=True, slots=True)
class RoomDeleted:
    """The room is no more."""
