"""What nodes tell each other over the control stream.

An event is a hint with an address, never a secret and never the authority: the store's records
are. Scripts append events in the same atomic step as the change that they report.
"""

from dataclasses import dataclass
from typing import Final

from server.core.reasons import Reason

EVERYTHING: Final = "*"
"""In place of session ids: all sessions whose epoch is not the event itself."""


@dataclass(frozen=True, slots=True)
class SessionsEnded:
    """Sessions ended; sockets of theirs must be closed, and the end acknowledged to its origin.

    Attributes:
        event: id of this end, as in frames, tombstones and receipts.
        origin: the node that waits for acknowledgements.
        reason: why.
        at: when, in Unix seconds on the store's clock.
        user: whose sessions, None for anonymous ones and for everything.
        sids: the sessions, or only `EVERYTHING`.
    """

    event: str
    origin: str
    reason: Reason
    at: float
    user: str | None
    sids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TokenRotated:
    """A number was handed out for the first time; nothing secret is told."""

    sid: str
    generation: int


@dataclass(frozen=True, slots=True)
class SessionsChanged:
    """A user's list of sessions changed: one appeared, or opened or closed a socket."""

    user: str


@dataclass(frozen=True, slots=True)
class SessionExtended:
    """Activity moved a deadline that sockets had been warned of."""

    sid: str


@dataclass(frozen=True, slots=True)
class MessageSent:
    """Application data for all other sockets of the user.

    Attributes:
        user: whose sockets.
        connection: the socket that sent it, which does not get it back.
        box: the JSON text, sealed: streams lie in the store like everything else.
    """

    user: str
    connection: str
    box: bytes


Event = SessionsEnded | TokenRotated | SessionsChanged | SessionExtended | MessageSent


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What one node did about some ends of one origin.

    Attributes:
        node: who says it.
        closed: for each event, how many sockets it closed.
    """

    node: str
    closed: dict[str, int]
