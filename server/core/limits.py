"""What one peer may ask of this server over sockets. Policy, in one place; nothing acts here.

An application that needs other numbers gives its own to its socket handler (`limits`).
"""

from dataclasses import dataclass
from typing import Final

from server.core.rate import Rate

FRAMES: Final = Rate(per_second=20, burst=200)
"""Of any kind, `ping`, `activity`, fragments and control frames included: a page of ours sends a
few in a minute, and a pointer that is followed some ten in a second."""
MESSAGES: Final = Rate(per_second=100 / 60, burst=100)
"""Each is written to the store and goes to every socket of the user. 100 in a minute is where the
OWASP WebSocket Security Cheat Sheet begins."""
OPENINGS: Final = Rate(per_second=1, burst=120)
"""A browser that starts again opens all its tabs at once, and a person goes from page to page."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of sockets.

    Attributes:
        frames: of one socket, of any kind.
        messages: of one socket: `message` frames.
        openings: of one user in one process, or of a visitor's session: handshakes.
        sockets_per_session: open at once in one process: more than a person has tabs.
        sockets_per_user: likewise, over all sessions of the user.
    """

    frames: Rate = FRAMES
    messages: Rate = MESSAGES
    openings: Rate = OPENINGS
    sockets_per_session: int = 64
    sockets_per_user: int = 100


LIMITS: Final = Limits()

MESSAGE_SECONDS: Final = 10.0
"""In which all fragments of a message must come: as long as the body of a request may take."""
AFTER_CLOSE_BYTES: Final = 4 * 1024 * 1024
"""What is still read of a peer behind our close frame: enough for what was on its way."""
AFTER_CLOSE_FRAMES: Final = 1_000
"""How many frames are still told apart there, to find the answer to the close frame."""
