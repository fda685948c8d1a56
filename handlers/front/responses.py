"""The bytes of answers: heads, chunks, and refusals that no handler makes."""

from http import HTTPStatus
from typing import Final

from tornado.escape import native_str
from tornado.httputil import HTTPHeaders, ResponseStartLine, format_timestamp

CONTINUE: Final = b"HTTP/1.1 100 (Continue)\r\n\r\n"
LAST_CHUNK: Final = b"0\r\n\r\n"


def head(start_line: ResponseStartLine, headers: HTTPHeaders) -> bytes:
    """Return an answer's first line and header lines, with the empty line after them.

    Raises:
        ValueError: one of them has a line end in it, and would make two.
    """
    lines = [f"HTTP/1.1 {start_line.code} {start_line.reason}"]
    # Tornado lets some values through as bytes.
    lines += [
        f"{name}: {value if type(value) is str else native_str(value)}"
        for name, value in headers.get_all()
    ]
    text = "\r\n".join(lines)
    if not len(lines) - 1 == text.count("\r") == text.count("\n"):
        raise ValueError("Illegal characters (CR or LF) in header")
    return f"{text}\r\n\r\n".encode("latin-1")


def chunk(data: bytes) -> bytes:
    """Return data as a chunk; nothing for no data, because an empty chunk ends the body."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def refusal(status: HTTPStatus, now: float) -> bytes:
    """Return the answer to a malformed or too large request. It ends the connection."""
    return (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"Date: {format_timestamp(now)}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    ).encode("ascii")


def may_have_body(method: str, code: int) -> bool:
    """Return whether an answer has a body (RFC 9112 6.3)."""
    return method != "HEAD" and code >= HTTPStatus.OK and code not in _WITHOUT_BODY


_WITHOUT_BODY: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
