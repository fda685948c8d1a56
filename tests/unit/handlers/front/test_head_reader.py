"""Heads are read as by the parser, and what the latest say is remembered for a minute."""

from collections.abc import Iterator

import pytest

from handlers.front.head_reader import HeadReader
from handlers.front.parser import Refused, read_head

LINES = b"HTTP/1.1\r\nHost: a\r\nCookie: name=a-value\r\n\r\n"


@pytest.mark.parametrize("lines", [LINES, LINES.replace(b"1.1", b"1.0"), b"HTTP/1.1\r\n\r\n"])
def test_it_reads_as_the_parser_does(lines: bytes) -> None:
    reader = HeadReader()
    for first in (b"GET /a?b ", b"POST * ", b"GET /a?b "):
        assert reader.read(first + lines) == read_head(first + lines)


def test_headers_that_a_request_changes_are_its_own() -> None:
    reader, sent = HeadReader(), b"GET / " + LINES
    reader.read(sent).headers["Host"] = "b"
    reader.read(sent).headers.add("Cookie", "more")
    assert reader.read(sent) == read_head(sent)


def test_what_is_malformed_stays_so() -> None:
    reader = HeadReader()
    for _ in range(2):
        with pytest.raises(Refused, match="no header lines"):
            reader.read(b"GET / " + LINES.replace(b": ", b" :"))


def test_cookies_are_forgotten_after_a_minute() -> None:
    now = 1000.0
    reader = HeadReader(lambda: now)

    def cookies() -> Iterator[str]:
        yield reader.read(b"GET / " + LINES).headers["Cookie"]
        yield reader.read(b"GET /other " + LINES).headers["Cookie"]

    first, second = cookies()
    assert first is second, "read once"
    now += 60
    later, _ = cookies()
    assert later == first
    assert later is not first, "read again"
