"""The bytes of answers: heads that cannot be split in two, chunks, refusals."""

import json
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import pytest
from tornado.httputil import HTTPHeaders, ResponseStartLine

from handlers.front import responses
from handlers.http.headers import SECURITY_HEADERS
from handlers.http.refusals import MALFORMED

OK = ResponseStartLine("HTTP/1.1", 200, "OK")


def test_a_head_is_its_first_line_its_header_lines_and_an_empty_line() -> None:
    headers = HTTPHeaders({"A": "b"})
    headers.add("Set-Cookie", "one")
    headers.add("Set-Cookie", "two")
    assert responses.head(OK, headers) == (
        b"HTTP/1.1 200 OK\r\nA: b\r\nSet-Cookie: one\r\nSet-Cookie: two\r\n\r\n"
    )


def test_a_value_may_be_bytes_and_goes_out_in_latin_1() -> None:
    headers = HTTPHeaders({"A": "\xe9"})
    headers._as_list["B"] = [b"b"]  # type: ignore[list-item]
    assert responses.head(OK, headers) == b"HTTP/1.1 200 OK\r\nA: \xe9\r\nB: b\r\n\r\n"


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_a_line_end_in_a_header_or_a_reason_makes_no_answer(end: str) -> None:
    headers = HTTPHeaders()
    headers._as_list["A"] = [f"b{end}Evil: yes"]  # past Tornado's own check
    with pytest.raises(ValueError, match="CR or LF"):
        responses.head(OK, headers)
    with pytest.raises(ValueError, match="CR or LF"):
        responses.head(ResponseStartLine("HTTP/1.1", 200, f"OK{end}Evil: yes"), HTTPHeaders())


def test_a_chunk_says_its_size_and_no_data_is_no_chunk() -> None:
    assert responses.chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"
    assert not responses.chunk(b"")


def refused(status: HTTPStatus, method: str = "") -> tuple[str, dict[str, str], bytes]:
    """First line, headers and body of a refusal."""
    head, _, body = responses.refusal(status, 1_000_000_000.0, method).partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return first, dict(line.split(": ", 1) for line in lines), body


def test_a_refusal_has_a_date_a_problem_and_ends_the_connection() -> None:
    first, headers, body = refused(HTTPStatus.BAD_REQUEST)
    assert first == "HTTP/1.1 400 Bad Request"
    assert parsedate_to_datetime(headers["Date"]).timestamp() == 1_000_000_000
    assert headers["Connection"] == "close"
    assert headers["Content-Length"] == str(len(body))
    assert headers["Content-Type"] == "application/problem+json; charset=UTF-8"
    assert json.loads(body) == MALFORMED.as_json()


def test_a_refusal_has_the_headers_of_all_other_answers() -> None:
    _, headers, _ = refused(HTTPStatus.BAD_REQUEST)
    assert SECURITY_HEADERS.items() <= headers.items()
    assert (headers["Cache-Control"], headers["Vary"]) == ("no-store", "Cookie")


def test_a_refused_head_has_the_length_and_no_body() -> None:
    _, headers, body = refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "HEAD")
    assert body == b""
    assert int(headers["Content-Length"]) > 0


@pytest.mark.parametrize(
    ("method", "code", "has_body"),
    [
        ("GET", 200, True),
        ("GET", 404, True),
        ("HEAD", 200, False),
        ("GET", 101, False),
        ("GET", 204, False),
        ("GET", 304, False),
    ],
)
def test_an_answer_has_a_body_or_not_by_its_method_and_code(
    method: str, code: int, *, has_body: bool
) -> None:
    assert responses.may_have_body(method, code) is has_body
