"""Headers behave as Tornado's, whatever is done with them."""

from collections.abc import Callable

import pytest
from tornado.httputil import HTTPHeaders, HTTPInputError

from handlers.http.header_map import HeaderMap, header_name


def filled(kind: type[HTTPHeaders]) -> HTTPHeaders:
    """Return headers, some of them with several lines."""
    headers = kind({"content-type": "text/html"})
    headers["X-One"] = "1"
    headers.add("set-cookie", "a=1")
    headers.add("Set-Cookie", "b=2")
    headers.add("SET-COOKIE", "c=3")
    return headers


QUESTIONS: list[Callable[[HTTPHeaders], object]] = [
    lambda headers: headers["CONTENT-TYPE"],
    lambda headers: headers["set-cookie"],
    lambda headers: headers.get("x-one"),
    lambda headers: headers.get("Set-Cookie"),
    lambda headers: headers.get("missing"),
    lambda headers: headers.get("missing", "default"),
    lambda headers: headers.get_list("x-one"),
    lambda headers: headers.get_list("Set-Cookie"),
    lambda headers: headers.get_list("missing"),
    lambda headers: list(headers.get_all()),
    list,
    len,
    lambda headers: dict(headers.items()),
    lambda headers: ["x-ONE" in headers, "missing" in headers],
    lambda headers: headers.pop("x-one"),
    lambda headers: headers.setdefault("x-one", "2"),
    str,
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_they_answer_as_tornados(question: Callable[[HTTPHeaders], object]) -> None:
    assert question(filled(HeaderMap)) == question(filled(HTTPHeaders))


@pytest.mark.parametrize("kind", [HeaderMap, HTTPHeaders])
def test_a_header_that_is_set_replaces_all_its_lines(kind: type[HTTPHeaders]) -> None:
    headers = filled(kind)
    headers["set-cookie"] = "d=4"
    assert headers.get_list("Set-Cookie") == ["d=4"]
    del headers["SET-COOKIE"]
    assert "Set-Cookie" not in headers
    with pytest.raises(KeyError):
        del headers["Set-Cookie"]
    with pytest.raises(KeyError):
        headers["Set-Cookie"]


@pytest.mark.parametrize("kind", [HeaderMap, HTTPHeaders])
@pytest.mark.parametrize(
    ("name", "value"), [("a b", "1"), ("", "1"), ("a", "1\r\nb: 2"), ("a", "\0")]
)
def test_no_line_is_added_that_would_break_the_head(
    kind: type[HTTPHeaders], name: str, value: str
) -> None:
    headers = kind()
    with pytest.raises(HTTPInputError):
        headers.add(name, value)
    assert not len(headers)


def test_a_copy_and_its_original_go_their_own_ways() -> None:
    headers = filled(HeaderMap)
    copied = headers.copy()
    copied["X-One"] = "changed"
    copied.add("Set-Cookie", "d=4")
    assert headers["X-One"] == "1"
    assert headers.get_list("Set-Cookie") == ["a=1", "b=2", "c=3"]
    assert copied.get_list("Set-Cookie")[-1] == "d=4"
    headers.get_list("Set-Cookie").clear()
    assert len(headers.get_list("Set-Cookie")) == 3
    assert isinstance(copied, HeaderMap)


def test_headers_copy_tornados_and_are_copied_by_it() -> None:
    lines = list(filled(HTTPHeaders).get_all())
    assert list(HeaderMap(filled(HTTPHeaders)).get_all()) == lines
    assert list(HTTPHeaders(filled(HeaderMap)).get_all()) == lines


@pytest.mark.parametrize("name", ["content-type", "ETAG", "x--y", "-", "WWW-authenticate"])
def test_a_name_is_written_as_tornado_writes_it(name: str) -> None:
    assert [header_name(name)] == list(HTTPHeaders({name: "1"}))


def test_headers_of_checked_values_are_those_values() -> None:
    headers = HeaderMap.of({"Host": "a", "Accept": ["b", "c"]})
    assert list(headers.get_all()) == [("Host", "a"), ("Accept", "b"), ("Accept", "c")]


def test_the_lines_are_all_lines() -> None:
    several, single = filled(HeaderMap), HeaderMap({"A": "1", "B": "2"})
    for headers in (several, single):
        assert isinstance(headers, HeaderMap)
        assert list(headers.lines()) == list(headers.get_all())
