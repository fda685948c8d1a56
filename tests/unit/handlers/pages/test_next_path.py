"""Where a form leads on: to a path of our own, which no browser takes for another site."""

from urllib.parse import quote

import pytest
from tornado.web import create_signed_value

from handlers.pages.next_path import (
    OWN_PATH,
    own_path,
    path_of_page,
    path_with_query,
    with_next,
)
from server.core.token import issue_token


@pytest.mark.parametrize("path", ["/", "/account", "/a/b?c=d&e=/f#g", "/" + "x" * 2047])
def test_a_path_of_our_own_is_taken(path: str) -> None:
    assert OWN_PATH.fullmatch(path)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "account",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/a\\b",
        "/a b",
        "/ä",
        "https://evil.example/",
        "javascript:alert(1)",
        "/" + "x" * 2048,
        "/account\n",
    ],
)
def test_anything_else_is_not(given: str) -> None:
    assert not OWN_PATH.fullmatch(given)


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/room?id=42#files", "/room?id=42#files"),
        ("/room?id=42#" + "x" * 2048, "/room?id=42"),
        ("/room?id=" + "x" * 2048, "/room"),
        (r"/room?id=C:\dir#a\b", "/room?id=C:%5Cdir#a%5Cb"),
        ("/room?id=a b", "/room"),
        (r"/ro\om?id=42", "/account"),
        ("//evil.example?id=42", "/account"),
        ("?id=42", "/account"),
    ],
)
def test_as_much_of_a_path_is_kept_as_can_be(given: str, path: str) -> None:
    assert own_path(given) == path


COOKIE = create_signed_value({1: "x" * 32}, "session", "a token", version=2, key_version=1).decode()
TOKEN = str(issue_token("00" + "a" * 22, b"s" * 32, 7))


@pytest.mark.parametrize("secret", [COOKIE, TOKEN])
@pytest.mark.parametrize("times_escaped", [0, 1, 2])
@pytest.mark.parametrize(
    "before", ["/room?id=", "/room?id=1&id=", "/room#", "/login?next=/room?id="]
)
def test_a_secret_that_somebody_put_into_an_address_goes_no_further(
    secret: str, times_escaped: int, before: str
) -> None:
    for _ in range(times_escaped):
        secret = quote(secret, safe="")
    path = before.split("?", maxsplit=1)[0].split("#", maxsplit=1)[0]
    assert own_path(before + secret) == path
    assert path_with_query(path, before.partition("?")[2] + secret) == path


def test_the_address_of_a_request_is_written_as_a_path_of_our_own() -> None:
    assert path_with_query("/room", "id=42&tab=files") == "/room?id=42&tab=files"
    assert path_with_query("/room", r"dir=C:\a b&name=ä") == "/room?dir=C:%5Ca%20b&name=%C3%A4"
    assert path_with_query("/room", "") == "/room"
    assert path_with_query("/room", "x" * 2048) == "/room"
    assert path_with_query("//evil.example", "id=42") == ""


def test_only_the_page_of_an_origin_of_ours_has_a_path() -> None:
    ours = {"https://app.example"}
    assert path_of_page("https://app.example/room?id=42", ours) == "/room?id=42"
    for other in ("http://app.example/", "https://app.example:444/", "https://x@app.example/", ""):
        assert path_of_page(other, ours) == ""


def test_an_address_leads_on_only_if_there_is_somewhere_to_go() -> None:
    assert with_next("/login", "") == "/login"
    assert (
        with_next("/login", "/a?b=c", reason="logout") == "/login?next=%2Fa%3Fb%3Dc&reason=logout"
    )
