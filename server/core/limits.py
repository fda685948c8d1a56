"""The limits on what one client may do over sockets, all in one place.

An application that needs other numbers gives its own to its socket handler (`limits`).
"""

from dataclasses import dataclass
from typing import Final

from server.core.rate import Rate

FRAMES: Final = Rate(per_second=20, burst=200)
"""Frames of any kind, `ping`, `activity`, fragments and control frames included. A page of ours
sends a few in a minute; an application that sends the position of a pointer, about ten in a
second."""
MESSAGES: Final = Rate(per_second=100 / 60, burst=100)
"""Each message is written to the store and sent to every socket of the user. 100 in a minute is
the lowest number that the OWASP WebSocket Security Cheat Sheet names."""
OPENINGS: Final = Rate(per_second=1, burst=120)
"""A browser that restarts opens all its tabs at once, and each page that a person visits opens a
socket."""
RETRY_MS: Final = (500, 5_000)
"""A client that lost its socket comes back after a random time between these two."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of sockets.

    Attributes:
        frames: frames of any kind from one socket.
        messages: `message` frames from one socket.
        openings: handshakes of one user, or of one visitor's session, in one process.
        sockets_per_session: sockets open at once in one process: more than a person has tabs.
        sockets_per_user: the same, over all sessions of the user.
    """

    frames: Rate = FRAMES
    messages: Rate = MESSAGES
    openings: Rate = OPENINGS
    sockets_per_session: int = 64
    sockets_per_user: int = 100


LIMITS: Final = Limits()

MESSAGE_SECONDS: Final = 10.0
"""Time for all fragments of a message to arrive: the same as for the body of a request."""
HANDLER_SECONDS: Final = 20.0
"""Time for what handles one frame. The next frame is read after it, so a slower handler would keep
the answer to a ping from being read, and its client would be cut off at the second one."""
AFTER_CLOSE_BYTES: Final = 4 * 1024 * 1024
"""How much is still read after our close frame: enough for what was on its way."""
AFTER_CLOSE_FRAMES: Final = 1_000
"""How many frames are still parsed after our close frame, to find the client's close frame."""
