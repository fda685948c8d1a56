"""The cookie check: notices a browser that kept no cookie, and no other."""

from urllib.parse import parse_qs, urlsplit

import pytest

from handlers.pages.cookie_check import MARKER, dropped_cookie, path_after_sign_in
from tests.support.clients.client import COOKIE
from tests.support.clients.requests import request

CHECKED = path_after_sign_in("/account")


@pytest.mark.parametrize("path", ["/account", "/a?b=1&c=2", "/a%26b", "/?next=/x#y"])
def test_a_sign_in_leads_by_the_login_page_to_where_it_should(path: str) -> None:
    target = urlsplit(path_after_sign_in(path))
    assert (target.path, target.netloc) == ("/login", "")
    assert parse_qs(target.query) == {"next": [path], MARKER: ["1"]}


def test_a_browser_that_comes_back_without_the_cookie_has_dropped_it() -> None:
    assert dropped_cookie(request(address=CHECKED), COOKIE)
    others = request(("Cookie", "theme=dark; other-cookie=1"), address=CHECKED)
    assert dropped_cookie(others, COOKIE)


@pytest.mark.parametrize(
    "cookie", [f"{COOKIE}=genuine", f"{COOKIE}=", f"{COOKIE}=one; {COOKIE}=two"]
)
def test_a_cookie_that_came_back_was_kept_whatever_is_in_it(cookie: str) -> None:
    assert not dropped_cookie(request(("Cookie", cookie), address=CHECKED), COOKIE)


@pytest.mark.parametrize("address", ["/login", "/login?next=/account", "/login?reason=logout"])
def test_who_did_not_just_sign_in_has_dropped_nothing(address: str) -> None:
    assert not dropped_cookie(request(address=address), COOKIE)
