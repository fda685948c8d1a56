"""The cookie in what a browser sends: found exactly, or not at all."""

import pytest
from tornado.httputil import HTTPHeaders

from handlers.http.cookie import Absent, Duplicate, find_cookie, pairs_with
from tests.support.clients.client import COOKIE as NAME


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (f"{NAME}=v", "v"),
        (f"a=1; {NAME}=v; b=2", "v"),
        (f"a=1;{NAME}=v;b=2", "v"),
        (f" \t{NAME}\t = \tv \t", "v"),
        (f"{NAME}=", ""),
        (f"{NAME}=a=b==", "a=b=="),
        (f'{NAME}="v"', '"v"'),
        (f'{NAME}="a\\073b"', '"a\\073b"'),
        (f"{NAME}=%20v+", "%20v+"),
        (f"{NAME}=a b", "a b"),
        (f"{NAME}={'v' * 4096}", "v" * 4096),
        (f"{NAME}=\xa0v\xa0", "\xa0v\xa0"),
        (f"x{NAME}=evil; {NAME}=v", "v"),
        (f"{NAME}=v; {NAME}", "v"),
        (f"{NAME}=v,b=1", "v,b=1"),
    ],
)
def test_the_one_cookie_of_the_name_is_found_as_sent(header: str, found: str) -> None:
    assert find_cookie([header], NAME) == found


@pytest.mark.parametrize(
    "header",
    [
        "",
        ";",
        "=",
        f"={NAME}",
        f"=={NAME}=v",
        f"={NAME}=v",
        NAME,
        f"a={NAME}=v",
        f"a=1, {NAME}=v",
        f'"{NAME}"=v',
        f"{NAME.lower()}=v",
        f"{NAME.upper()}=v",
        f"{NAME}x=v",
        f"x{NAME}=v",
        f"{NAME}={'v' * 4097}",
    ],
)
def test_nothing_else_is_ours(header: str) -> None:
    assert find_cookie([header], NAME) == Absent()


SPACES = [chr(code) for code in range(256) if chr(code) not in " \t;="]


@pytest.mark.parametrize("space", SPACES, ids=[f"{ord(space):02x}" for space in SPACES])
@pytest.mark.proves("A10")
def test_only_space_and_tab_are_trimmed_from_names(space: str) -> None:
    assert find_cookie([f"{space}{NAME}=v"], NAME) == Absent()
    assert find_cookie([f"{NAME}{space}=v"], NAME) == Absent()
    assert find_cookie([f"{space}{NAME}=evil; {NAME}=v"], NAME) == "v"
    assert find_cookie([f"{NAME}=v; {NAME}{space}=evil"], NAME) == "v"


@pytest.mark.parametrize(
    "headers",
    [
        [f"{NAME}=a; {NAME}=b"],
        [f"{NAME}=a; {NAME}=a"],
        [f"{NAME}=a", f"{NAME}=b"],
        [f"x=1; {NAME}=a; y=2", "z=3", f"{NAME}=b"],
        [f"{NAME}=; {NAME}=b"],
        [f"{NAME}={'v' * 5000}; {NAME}=b"],
        [f"{NAME}=b; \t{NAME} = {'v' * 5000}"],
        [f"{NAME}=a; {NAME}=b; {NAME}=c"],
    ],
)
@pytest.mark.proves("A9")
def test_the_same_name_twice_is_neither(headers: list[str]) -> None:
    assert find_cookie(headers, NAME) == Duplicate()


def test_a_request_without_cookies_has_none() -> None:
    assert find_cookie([], NAME) == Absent()


def test_cookies_of_other_names_are_not_taken_apart() -> None:
    junk = "a=;" * 5_000
    assert list(pairs_with(NAME, [junk, f"{junk} {NAME}=x; b={NAME}"])) == [
        (NAME, "x"),
        ("b", NAME),
    ]


def test_headers_come_as_tornado_gives_them() -> None:
    headers = HTTPHeaders.parse(f"Cookie: a=1\r\nCookie: \xa0{NAME}=x; {NAME}=v\r\n")
    assert find_cookie(headers.get_list("Cookie"), NAME) == "v"
