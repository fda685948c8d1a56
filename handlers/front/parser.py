"""Reads the head of a request: by llhttp, behind a pattern that refuses what llhttp forgives.

Two readers must agree before anything of a request counts. The pattern knows the strict grammar of
RFC 9112 and nothing else: one space between the parts of the first line, a name of token characters
directly before each colon, no line that goes on, no line end but CR LF, no control characters.
llhttp then reads the header lines, and refuses lengths and codings that contradict each other.

The first line is read by the pattern alone. llhttp has a fixed list of methods, while applications
may have their own, and takes no target with bytes from 128 on.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Final, NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from tornado.httputil import HTTPHeaders, RequestStartLine

from handlers.front.limits import MAX_HEADER_LINES
from handlers.http.header_map import NAMES_REMEMBERED, HeaderMap, header_name

_END: Final = b"\r\n\r\n"
_BARE_LINE_FEED: Final = re.compile(rb"(?<!\r)\n")

_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_FIRST_LINE: Final = re.compile(
    rb"(?P<method>" + _TOKEN + rb") (?P<target>[\x21-\x7e\x80-\xff]++) HTTP/1\.(?=[01]\r\n)"
)
"""Up to the digit behind the point. It is read together with the header lines, because what they
mean depends on it."""
_FIELDS: Final = re.compile(rb"[01]\r\n(?:" + _TOKEN + rb":[\t\x20-\x7e\x80-\xff]*+\r\n)*+\r\n")
_FURTHER_CODINGS: Final = frozenset({"gzip", "x-gzip", "deflate", "compress", "x-compress"})
"""Registered transfer codings that are not read here (RFC 9112 7.2)."""
_LENGTH: Final = re.compile(r"[0-9]{1,20}")
"""As many digits as llhttp counts to; without a bound, `int` fails behind 4,300 zeros."""
_VERSIONS: Final = {ord("0"): "HTTP/1.0", ord("1"): "HTTP/1.1"}


class Refused(Exception):
    """The request is malformed, or too large.

    Args:
        status: for the answer.
        why: for the log; in our own words, as what the request says may be a secret.
    """

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


def malformed(why: str) -> Refused:
    """Return the refusal of a malformed request."""
    return Refused(HTTPStatus.BAD_REQUEST, why)


class Head(NamedTuple):
    """A request up to its body.

    Attributes:
        start_line: its first line.
        headers: its header lines.
        length: of its body in bytes; None where the body comes in chunks.
        keeps_alive: whether the client wants to send another one on this connection.
        expects_continue: whether it waits to be told to send the body.
    """

    start_line: RequestStartLine
    headers: HTTPHeaders
    length: int | None
    keeps_alive: bool
    expects_continue: bool


class HeaderLines(NamedTuple):
    """The header lines of a request, and what they mean for the connection.

    Attributes:
        version: of HTTP.
        headers: as in `Head`.
        length: likewise.
        keeps_alive: likewise.
        expects_continue: likewise.
    """

    version: str
    headers: HeaderMap
    length: int | None
    keeps_alive: bool
    expects_continue: bool


class HeadFinder:
    """Takes heads out of what was received. It looks at no byte twice, even if they come singly.

    Args:
        most: bytes that a head may have.
    """

    __slots__ = ("_most", "_seen")

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen = 0

    def take(self, received: bytearray) -> bytes | None:
        """Take out a head; return None if more must come first.

        Args:
            received: from the start of a request, or the empty lines before it (RFC 9112 2.2).

        Raises:
            Refused: with 431 for too many bytes, with 414 if all are of the first line, with 400
                for lines that end in another way.
        """
        while received.startswith(b"\r\n"):
            del received[:2]
            self._seen = 0
        end = received.find(_END, max(0, self._seen - len(_END)), self._most)
        if end >= 0:
            self._seen = 0
            data = bytes(received[: end + len(_END)])
            del received[: len(data)]
            return data
        if len(received) > self._most:
            raise self._too_large(received)
        if _BARE_LINE_FEED.search(received, self._seen):
            raise malformed("a line feed without a carriage return")
        self._seen = len(received)
        return None

    def _too_large(self, received: bytearray) -> Refused:
        if received.find(b"\r\n", 0, self._most) < 0:
            return Refused(HTTPStatus.REQUEST_URI_TOO_LONG, "too many bytes in the first line")
        return Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too many bytes of headers")


def read_fields(data: bytes) -> HeaderLines:
    """Read a request from its version's last digit to the empty line after its headers.

    Raises:
        Refused: as `read_head`.
    """
    if _FIELDS.fullmatch(data) is None:
        raise malformed("no header lines")
    version, headers = _VERSIONS[data[0]], _read_lines(data, _lines_in(data))
    expects = headers.get("Expect", "").lower() == "100-continue" and version == "HTTP/1.1"
    length, keeps_alive = _body_length(version, headers), _keeps_alive(version, headers)
    return HeaderLines(version, headers, length, keeps_alive, expects)


def read_head(data: bytes, fields_of: Callable[[bytes], HeaderLines] = read_fields) -> Head:
    """Read a request from its first line to the empty line after its headers.

    Args:
        data: the request.
        fields_of: does what `read_fields` does. Its headers are copied before anybody changes them.

    Raises:
        Refused: with 431 for too many lines, with 501 for a transfer coding that is not known, with
            400 for everything else, another version of HTTP too.
    """
    if _lines_in(data) > MAX_HEADER_LINES:
        raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too many header lines")
    first = _FIRST_LINE.match(data)
    if first is None:
        raise malformed("no request line")
    method, target = first.groups()
    version, headers, length, keeps_alive, expects = fields_of(data[first.end() :])
    line = RequestStartLine(method.decode("ascii"), target.decode("latin-1"), version)
    return Head(line, headers.copy(), length, keeps_alive, expects)


def _lines_in(data: bytes) -> int:
    """Return how many header lines there are between the first line and the empty one."""
    return data.count(b"\n") - 2


def _read_lines(data: bytes, lines: int) -> HeaderMap:
    """Return the headers as llhttp reads them, if each name comes once."""
    fields: dict[bytes, bytes] = {}
    _feed(data, fields.setdefault)
    # The pattern has looked at names and values: Tornado need not do so again.
    values: dict[str, str | list[str]] = {
        _name(name): value.decode("latin-1").strip(" \t") for name, value in fields.items()
    }
    headers = HeaderMap.of(values)
    # Fewer headers than lines: one stands there twice, in whatever case.
    return headers if len(headers) == lines else _read_repeated(data, lines)


@lru_cache(NAMES_REMEMBERED)
def _name(raw: bytes) -> str:
    return header_name(raw.decode("ascii"))


def _read_repeated(data: bytes, lines: int) -> HeaderMap:
    """Return the headers as llhttp reads them, with repeated names."""
    headers, fields = HeaderMap(), list[tuple[bytes, bytes]]()
    _feed(data, lambda name, value: fields.append((name, value)))
    if len(fields) != lines:
        raise malformed("not every line was read as a header")
    for name, value in fields:
        headers.add(name.decode("ascii"), value.decode("latin-1").strip(" \t"))
    return headers


def _feed(data: bytes, on_header: Callable[[bytes, bytes], object]) -> None:
    try:
        HttpRequestParser(_Reading(on_header)).feed_data(b"GET / HTTP/1." + data)
    except HttpParserUpgrade:
        pass  # the handler decides about that
    except HttpParserError as error:
        raise malformed(str(error)) from None


@dataclass(slots=True)
class _Reading:
    """Called by llhttp."""

    on_header: Callable[[bytes, bytes], object]


def _body_length(version: str, headers: HTTPHeaders) -> int | None:
    """Return how long the body is (RFC 9112 6.3); None if it comes in chunks."""
    codings, lengths = headers.get_list("Transfer-Encoding"), headers.get_list("Content-Length")
    if codings:
        *further, last = [each.strip().lower() for each in ",".join(codings).split(",")]
        is_known = _FURTHER_CODINGS.issuperset(further)
        if lengths or version == "HTTP/1.0" or last != "chunked" or not is_known:
            raise malformed("a transfer coding that is not just chunked")
        if further:
            raise Refused(HTTPStatus.NOT_IMPLEMENTED, "a transfer coding besides chunked")
        return None
    if not lengths:
        return 0
    if len(lengths) > 1 or _LENGTH.fullmatch(lengths[0]) is None:
        raise malformed("a Content-Length that is no number")
    return int(lengths[0])


def _keeps_alive(version: str, headers: HTTPHeaders) -> bool:
    """Return whether the client keeps the connection (RFC 9112 9.3)."""
    options = headers.get("Connection")
    if options is None:
        return version == "HTTP/1.1"
    wanted = {each.strip().lower() for each in options.split(",")}
    return "close" not in wanted and (version == "HTTP/1.1" or "keep-alive" in wanted)
