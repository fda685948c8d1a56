"""Takes the body of a request out of what was received. Pure: it does no I/O."""

import re
from http import HTTPStatus
from typing import Final, Protocol

from handlers.front.limits import CHUNK_BYTES, CHUNK_LINE_BYTES, CHUNKS_AT_ONCE, FREE_CHUNKS
from handlers.front.parser import Refused, malformed

_SIZE: Final = re.compile(rb"[0-9A-Fa-f]{1,16}")
_LINE_END: Final = b"\r\n"


class BodyReader(Protocol):
    """Reads the rest of a body.

    Attributes:
        is_whole: whether nothing is.
    """

    is_whole: bool

    def take(self, received: bytearray) -> bytes:
        """Take out the next piece; return an empty one if more must come first."""
        ...


def body_of(length: int | None, most: int, piece: int) -> BodyReader:
    """Return what reads a body.

    Args:
        length: in bytes; None if it comes in chunks.
        most: bytes that it may have.
        piece: bytes that are handed on at once.

    Raises:
        Refused: with 413 for a length that is too large.
    """
    if length is None:
        return ChunkedBody(most, piece)
    if length > most:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "a body that is too large")
    return FixedBody(length, piece)


class FixedBody:
    """Reads a body with a Content-Length.

    Args:
        length: in bytes.
        piece: bytes that are handed on at once.
    """

    __slots__ = ("_left", "_piece", "is_whole")

    def __init__(self, length: int, piece: int) -> None:
        self._left = length
        self._piece = piece
        self.is_whole = not length

    def take(self, received: bytearray) -> bytes:
        piece = bytes(received[: min(self._left, self._piece)])
        del received[: len(piece)]
        self._left -= len(piece)
        self.is_whole = not self._left
        return piece


class ChunkedBody:
    """Reads a body in chunks (RFC 9112 7.1), without extensions and without trailers.

    llhttp cannot say where a message ends, so that what follows could not be told apart; and a
    chunk is counted here before it costs anything.

    Args:
        most: bytes that it may have.
        piece: bytes that are handed on at once.
    """

    __slots__ = ("_chunks", "_in_chunk", "_left", "_most", "_piece", "_total", "is_whole")

    def __init__(self, most: int, piece: int) -> None:
        self._most = most
        self._piece = piece
        self._chunks = self._total = self._left = 0
        self._in_chunk = False
        self.is_whole = False

    def take(self, received: bytearray) -> bytes:
        """Take the next piece, put together from several chunks.

        Raises:
            Refused: with 413 for too many bytes or chunks, with 400 for what is no chunk.
        """
        piece = bytearray()
        at = 0
        most_chunks = self._chunks + CHUNKS_AT_ONCE
        while len(piece) < self._piece and self._chunks < most_chunks and not self.is_whole:
            if self._left:
                part = received[at : at + min(self._left, self._piece - len(piece))]
                piece += part
                at += len(part)
                self._left -= len(part)
                if not part:
                    break
                continue
            end = self._next_line(received, at)
            if end is None:
                break
            at = end
        del received[:at]
        return bytes(piece)

    def _next_line(self, received: bytearray, at: int) -> int | None:
        """Read the line between two chunks; return where it ends, or None if it is not here yet."""
        if self._in_chunk:
            if len(received) < at + 2:
                return None
            if received[at : at + 2] != _LINE_END:
                raise malformed("a chunk that is longer than it says")
            self._in_chunk = False
            return at + 2
        end = received.find(_LINE_END, at, at + CHUNK_LINE_BYTES)
        if end < 0:
            if len(received) - at >= CHUNK_LINE_BYTES:
                raise malformed("a chunk without its size")
            return None
        match = _SIZE.fullmatch(received, at, end)
        if match is None:
            raise malformed("a chunk without its size")
        return self._begin(int(match[0], 16), received, end + 2)

    def _begin(self, size: int, received: bytearray, at: int) -> int | None:
        """Begin a chunk, or end the body; return where its data begins."""
        if not size:
            if len(received) < at + 2:
                return None  # the line is read again when more has come
            if received[at : at + 2] != _LINE_END:
                raise malformed("something behind the last chunk")
            self.is_whole = True
            return at + 2
        self._chunks += 1
        self._total += size
        if self._total > self._most:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "a chunked body that is too large")
        if self._chunks > FREE_CHUNKS + self._total // CHUNK_BYTES:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "a body in too many chunks")
        self._left, self._in_chunk = size, True
        return at
