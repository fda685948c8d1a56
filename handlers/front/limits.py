"""What one connection may cost before, while and after its requests are handled."""

from dataclasses import dataclass
from typing import Final

MAX_HEADER_LINES: Final = 100
"""Of one request. Browsers send about 20, and each proxy adds a few."""
FREE_CHUNKS: Final = 1024
CHUNK_BYTES: Final = 64
"""A chunked body may have `FREE_CHUNKS`, and one more for each `CHUNK_BYTES` of it: a chunk costs
as much as many bytes do."""
CHUNKS_AT_ONCE: Final = 128
"""Read before others have their turn: each takes about three microseconds."""
CHUNK_LINE_BYTES: Final = 18
"""A size in up to 16 hexadecimal digits, and the end of its line. There are no extensions."""
READ_BYTES: Final = 64 * 1024
"""Read from a connection at once at most."""
READ_HEAD_BYTES: Final = 4 * 1024
"""Read at once before a request has begun: the head of an ordinary one. What else a crowd sends
stays with the system until it is that connection's turn."""
ACCEPT_AT_ONCE: Final = 8
"""Connections that are accepted before others have their turn: each takes about 20 microseconds.
With fewer, somebody who connects behind a crowd would be found late."""
READ_AHEAD_BYTES: Final = 64 * 1024
"""Bytes that are kept before they can be used. When there are more, reading stops."""
UNREAD_SECONDS: Final = 20.0
"""Within which a peer must have read `UNREAD_BYTES` of an answer, or all the rest of it."""
UNREAD_BYTES: Final = 16 * 1024
UNSENT_BYTES: Final = 64 * 1024
"""Bytes of an answer that the system keeps besides those on their way. By default these are
megabytes, and a slow reader looks like one that never reads."""
LINGER_SECONDS: Final = 5.0
LINGER_AT_MOST_SECONDS: Final = 30.0
LINGER_BYTES: Final = 256 * 1024 * 1024
"""Bytes that are read and dropped after a refusal: until none came for so many seconds, and for so
many in all. Bytes that stay unread make the system reset the connection, and a reset overtakes the
answer (RFC 9112 9.6). To drop bytes costs less than to read a body, and waits for its turn."""


@dataclass(frozen=True, slots=True)
class FrontLimits:
    """What a server's connections may cost; times are in seconds.

    Attributes:
        header_bytes: of one request, its first line included.
        body_bytes: of one request.
        first_timeout: from the connection to its first request's headers, the TLS handshake
            included.
        idle_timeout: from one request's end to the next one's headers.
        body_timeout: from a request's headers to the end of its body; None sets no limit.
        piece_bytes: of a body, handed on at once at most.
        keep_alive: whether a connection may have more than one request.
    """

    header_bytes: int
    body_bytes: int
    first_timeout: float
    idle_timeout: float
    body_timeout: float | None
    piece_bytes: int
    keep_alive: bool
