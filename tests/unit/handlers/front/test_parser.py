"""Heads of requests: whole however they come, and what is read of them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.front.parser import Head, HeadFinder, Refused, read_head

HEAD = b"GET /a?b HTTP/1.1\r\nHost: a\r\nX-Long:  b c \t\r\nEmpty:\r\n\r\n"


def head(*lines: bytes, first: bytes = b"GET / HTTP/1.1") -> Head:
    """Read a head with these header lines."""
    return read_head(b"".join(line + b"\r\n" for line in (first, *lines, b"")))


@given(st.lists(st.integers(1, 20), max_size=60), st.integers(0, 3))
def test_a_head_is_found_however_it_is_cut(cuts: list[int], empty_lines: int) -> None:
    sent = b"\r\n" * empty_lines + HEAD + b"body"
    finder, received, found = HeadFinder(1000), bytearray(), None
    for size in [*cuts, len(sent)]:
        received += sent[:size]
        sent = sent[size:]
        found = finder.take(received)
        if found is not None:
            break
    assert found == HEAD
    assert bytes(received) + sent == b"body"


@given(st.integers(1, 60))
def test_a_head_has_its_limit_however_it_is_cut(cut: int) -> None:
    assert HeadFinder(len(HEAD)).take(bytearray(HEAD)) == HEAD
    finder, received = HeadFinder(len(HEAD) - 1), bytearray(HEAD[: min(cut, len(HEAD) - 1)])
    assert finder.take(received) is None
    received += HEAD[len(received) :] + b"more"
    with pytest.raises(Refused) as refused:
        finder.take(received)
    assert refused.value.status == 431


def test_a_first_line_that_is_too_long_is_the_address() -> None:
    for sent in (b"GET /" + b"a" * 40, b"GET /" + b"a" * 40 + b" HTTP/1.1\r\nA: b\r\n\r\n"):
        with pytest.raises(Refused) as refused:
            HeadFinder(30).take(bytearray(sent))
        assert refused.value.status == 414


@pytest.mark.parametrize(
    ("first", "status"),
    [
        (b"GET / HTTP/2.0", 400),
        (b"GET / HTTP/0.9", 400),
        (b"GET / HTTP/1.2", 400),
        (b"PRI * HTTP/2.0", 400),
        (b"GET / HTTP/11", 400),
        (b"GET / HTTP/1.10", 400),
        (b"GET / a HTTP/2.0", 400),
        (b"GET /", 400),
    ],
)
def test_another_version_is_told_from_what_is_no_first_line(first: bytes, status: int) -> None:
    with pytest.raises(Refused) as refused:
        head(b"Host: a", first=first)
    assert refused.value.status == status


@pytest.mark.parametrize(
    ("codings", "status"),
    [
        (b"gzip, chunked", 501),
        (b"x-gzip,deflate,\tChunked", 501),
        (b"gzip", 400),
        (b"chunked, gzip", 400),
        (b"chunked, chunked", 400),
        (b"identity, chunked", 400),
        (b", chunked", 400),
        (b"chunked,", 400),
    ],
)
def test_a_coding_that_is_not_read_is_told_from_a_body_without_an_end(
    codings: bytes, status: int
) -> None:
    """RFC 9112 6.1 and 6.3."""
    for lines in ([b"Transfer-Encoding: " + codings],
                  [b"Transfer-Encoding: " + each for each in codings.split(b",")]):  # fmt: skip
        with pytest.raises(Refused) as refused:
            head(*lines)
        assert refused.value.status == status
    with pytest.raises(Refused) as refused:
        head(b"Transfer-Encoding: gzip, chunked", b"Content-Length: 3")
    assert refused.value.status == 400


def test_a_line_feed_alone_is_seen_as_soon_as_it_comes() -> None:
    finder, received = HeadFinder(1000), bytearray(b"GET / HTTP/1.1\r")
    assert finder.take(received) is None
    received += b"\nHost: a"
    assert finder.take(received) is None
    received += b"\n"
    with pytest.raises(Refused):
        finder.take(received)


def test_what_a_head_says() -> None:
    found = read_head(HEAD)
    assert tuple(found.start_line) == ("GET", "/a?b", "HTTP/1.1")
    assert list(found.headers.get_all()) == [("Host", "a"), ("X-Long", "b c"), ("Empty", "")]
    assert (found.length, found.keeps_alive, found.expects_continue) == (0, True, False)


def test_repeated_headers_are_all_kept_in_whatever_case() -> None:
    found = head(b"A: 1", b"b: 2", b"a: 3", b"A: 4")
    assert found.headers.get_list("A") == ["1", "3", "4"]
    assert found.headers.get_list("B") == ["2"]


def test_methods_of_an_application_and_targets_in_latin_1_are_read() -> None:
    assert tuple(head(first=b"BREW /\xff HTTP/1.0").start_line) == ("BREW", "/\xff", "HTTP/1.0")


@pytest.mark.parametrize(
    ("first", "line", "stays"),
    [
        (b"GET / HTTP/1.1", b"A: b", True),
        (b"GET / HTTP/1.1", b"Connection: close", False),
        (b"GET / HTTP/1.1", b"Connection: te, Close", False),
        (b"GET / HTTP/1.0", b"A: b", False),
        (b"GET / HTTP/1.0", b"Connection: Keep-Alive", True),
        (b"GET / HTTP/1.0", b"Connection: keep-alive, close", False),
    ],
)
def test_a_client_says_whether_it_stays(first: bytes, line: bytes, *, stays: bool) -> None:
    assert head(line, first=first).keeps_alive is stays


def test_an_upgrade_is_left_to_the_handler() -> None:
    found = head(b"Connection: Upgrade", b"Upgrade: websocket", b"Content-Length: 3")
    assert found.length == 3


def test_a_length_in_more_digits_than_python_reads_is_refused() -> None:
    assert head(b"Content-Length: " + b"0" * 19 + b"3").length == 3
    with pytest.raises(Refused):
        head(b"Content-Length: " + b"0" * 5000 + b"3")


@given(st.binary(max_size=80))
def test_nothing_is_worse_than_refused(data: bytes) -> None:
    for sent in (data, HEAD[:-2] + data + b"\r\n\r\n", HEAD[:4] + data + HEAD[4:]):
        with suppress(Refused):
            lines = [f"{name}: {value}" for name, value in read_head(sent).headers.get_all()]
            assert "\r" not in "".join(lines)
            assert len(lines) == sent.count(b"\n") - 2
