"""The rules of RFC 6455 for handshakes and frames, if the server has no extensions.

Pure.
"""

import re
from functools import lru_cache
from typing import Final

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA
FINAL: Final = 0x80
RESERVED: Final = 0x70
MASKED: Final = 0x80
SIZE_IN_2: Final = 126
"""This size says that the real size follows in two bytes; 127 says that it follows in eight."""

_KEY: Final = re.compile(r"[A-Za-z0-9+/]{22}==")
_DATA: Final = frozenset({CONTINUATION, TEXT, BINARY})
_CONTROL: Final = frozenset({CLOSE, PING, PONG})
_CODES: Final = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})
"""The close codes a client may send (7.4): not those for connections without a close frame."""


def is_valid_start(first: int, second: int, *, in_message: bool) -> bool:
    """Return whether a frame may begin with these two bytes (5.2, 5.4, 5.5).

    Args:
        first: its first byte.
        second: its second byte.
        in_message: whether fragments of an incomplete message came before.
    """
    opcode = first & 0x0F
    if first & RESERVED or not second & MASKED:
        return False
    if opcode in _CONTROL:
        return bool(first & FINAL) and second & 0x7F < SIZE_IN_2
    return opcode in _DATA and (opcode == CONTINUATION) == in_message


def frame_of_server(opcode: int, payload: bytes) -> bytes:
    """Return a whole message in one frame, or a control frame, as a server sends it (5.2)."""
    size = len(payload)
    if size < SIZE_IN_2:
        head = bytes((FINAL | opcode, size))
    elif size < 1 << 16:
        head = bytes((FINAL | opcode, SIZE_IN_2)) + size.to_bytes(2)
    else:
        head = bytes((FINAL | opcode, SIZE_IN_2 + 1)) + size.to_bytes(8)
    return head + payload


@lru_cache(16)  # an end closes many sockets
def last_frames(last: str, code: int, reason: str) -> bytes:
    """Return the frames of a last message and of a close frame."""
    end = frame_of_server(CLOSE, code.to_bytes(2) + reason.encode())
    return frame_of_server(TEXT, last.encode()) + end


def is_minimal_size(size: int, in_bytes: int) -> bool:
    """Return whether a size is allowed and needs this many bytes (5.2).

    Args:
        size: that the bytes say.
        in_bytes: 2 or 8.
    """
    return size >= SIZE_IN_2 if in_bytes == 2 else 1 << 16 <= size < 1 << 63  # noqa: PLR2004


def is_valid_close(payload: bytes) -> bool:
    """Return whether this may be in a close frame: nothing, or a code and text (5.5.1)."""
    if not payload:
        return True
    return int.from_bytes(payload[:2]) in _CODES and is_utf8(payload[2:])


def is_key(text: str) -> bool:
    """Return whether this is the key of a handshake: 16 bytes in base64 (4.2.1)."""
    return _KEY.fullmatch(text) is not None


def is_utf8(data: bytes) -> bool:
    """Return whether these bytes are text (8.1)."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
