"""HTTP byte for byte: what no well-made client would send."""

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass

from tests.support.secrets.leaks import SEARCH
from tests.support.secrets.store_secrets import note_session

PATIENCE_SECONDS = 10.0
_INTERIM = b"HTTP/1.1 100 (Continue)\r\n\r\n"
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
_SET_COOKIE = re.compile(rb"(?<=\r\nSet-Cookie: )[^=;\r]+=([^;\r]*)")
_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        raw: all of it, without the word that the body may come.
        closed: whether the server closed the connection.
    """

    raw: bytes
    closed: bool

    @property
    def status(self) -> int:
        """The status; 0 when the server closed without a word."""
        match = _STATUS_LINE.match(self.raw)
        return int(match[1]) if match else 0


def exchange(port: int, sent: bytes, *, end: bool = False, read_all: bool = False) -> Answer:
    """Send bytes on a new connection and return the answer.

    Args:
        port: of the server, on the loopback.
        sent: as it is.
        end: whether to say afterwards that no more will come. Tornado then leaves, answer or not.
        read_all: whether to read until the server closes, and not only the first answer.

    Raises:
        TimeoutError: neither an answer nor the end of the connection came.
    """
    head_only = sent.startswith(b"HEAD ")
    with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as connection:
        try:
            connection.sendall(sent)
            if end:
                connection.shutdown(socket.SHUT_WR)
        except TimeoutError:
            raise
        except OSError:
            pass  # refused before all of it was sent; the answer may be there
        answer = _receive(connection, lambda raw: not read_all and _is_whole(raw, head_only))
    _note(port, answer.raw)
    return answer


def _note(port: int, raw: bytes) -> None:
    for cookie in _SET_COOKIE.findall(raw):
        note_session(SEARCH, port, SEARCH.cookie(cookie.decode("latin-1")))
    SEARCH.answered("a raw answer", _SET_COOKIE.sub(b"", raw), "HTTP")


def _receive(connection: socket.socket, is_enough: Callable[[bytes], bool]) -> Answer:
    raw = b""
    while not is_enough(raw):
        try:
            chunk = connection.recv(65_536)
        except ConnectionError:
            chunk = b""
        if not chunk:
            return Answer(raw, closed=True)
        raw = (raw + chunk).removeprefix(_INTERIM)
    return Answer(raw, closed=False)


def _is_whole(raw: bytes, head_only: bool) -> bool:  # noqa: FBT001 - ours alone
    head, separator, body = raw.partition(b"\r\n\r\n")
    if not separator:
        return False
    length = _LENGTH.search(head + b"\r\n")
    has_no_body = head_only or Answer(raw, closed=False).status in {101, 204, 304}
    return has_no_body or (length is not None and len(body) >= int(length[1]))
