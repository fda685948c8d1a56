"""The bytes of answers: heads, chunks, and refusals that no handler makes."""

from http import HTTPStatus
from typing import Final

from tornado.escape import json_encode, native_str
from tornado.httputil import HTTPHeaders, ResponseStartLine, format_timestamp

from handlers.http.header_map import HeaderMap
from handlers.http.headers import SECURITY_HEADERS
from handlers.http.refusals import UNREAD

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
        for name, value in (
            headers.lines() if isinstance(headers, HeaderMap) else headers.get_all()
        )
    ]
    text = "\r\n".join(lines)
    if not len(lines) - 1 == text.count("\r") == text.count("\n"):
        raise ValueError("Illegal characters (CR or LF) in header")
    return f"{text}\r\n\r\n".encode("latin-1")


def chunk(data: bytes) -> bytes:
    """Return data as a chunk; nothing for no data, because an empty chunk ends the body."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def refusal(status: HTTPStatus, now: float, method: str = "") -> bytes:
    """Return the answer to a request that no handler sees. It ends the connection.

    Args:
        status: one of those in `UNREAD`.
        now: Unix seconds.
        method: of the request; empty if it was not read.
    """
    body = json_encode(UNREAD[status].as_json()).encode("ascii")
    headers = HTTPHeaders({**SECURITY_HEADERS, **_OF_REFUSALS})
    headers["Date"] = format_timestamp(now)
    headers["Content-Length"] = str(len(body))
    line = ResponseStartLine("HTTP/1.1", status.value, status.phrase)
    return head(line, headers) + (body if may_have_body(method, status) else b"")


def may_have_body(method: str, code: int) -> bool:
    """Return whether an answer has a body (RFC 9112 6.3)."""
    return method != "HEAD" and code >= HTTPStatus.OK and code not in _WITHOUT_BODY


_OF_REFUSALS: Final = {
    "Content-Type": "application/problem+json; charset=UTF-8",
    "Cache-Control": "no-store",
    "Vary": "Cookie",
    "Connection": "close",
}
_WITHOUT_BODY: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
