"""A path of the host below which everything is; with proxies and browsers: tests/integration."""

import logging
import re

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from handlers.http.base_path import BasePath
from server.core.errors import ConfigurationError
from tests.support.servers.server import ROOT

AUTH = BasePath("/auth")
NOTHING = BasePath("")


def request(path: str) -> HTTPServerRequest:
    """Return a request for a path."""
    line = RequestStartLine("GET", path, "HTTP/1.1")
    return HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": "app.example"}))


@pytest.mark.parametrize(
    ("path", "inner"),
    [("/auth/", "/"), ("/auth", "/"), ("/auth/login", "/login"), ("/auth/a/auth/", "/a/auth/")],
)
def test_the_path_is_taken_off_a_request(path: str, inner: str) -> None:
    met = request(f"{path}?next=/auth/x")
    assert AUTH.enter(met)
    assert (met.path, met.query) == (inner, "next=/auth/x")


@pytest.mark.parametrize("path", ["/", "/login", "/authentic", "/au", "/Auth/", "//auth/", ""])
def test_what_is_not_below_the_path_is_left_and_told_once(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    place, met = BasePath("/auth"), request(path)
    with caplog.at_level(logging.WARNING, "curfew.http"):
        assert not place.enter(met)
        assert not place.enter(met)
    assert met.path == path
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("address", "located"),
    [
        ("/login?next=/a", "/auth/login?next=/a"),
        ("/", "/auth/"),
        ("/auth/login", "/auth/login"),
        ("/auth?a", "/auth?a"),
        ("/authentic", "/auth/authentic"),
        ("//other.example/", "//other.example/"),
        ("https://other.example/", "https://other.example/"),
        ("", ""),
        ("#main", "#main"),
    ],
)
def test_an_address_of_ours_is_located_below_it_once(address: str, located: str) -> None:
    assert AUTH.located(address) == located
    assert AUTH.located(located) == located
    assert NOTHING.located(address) == address


def test_an_address_that_a_browser_brings_back_may_have_it_or_not() -> None:
    for given in ("/auth/room?id=1", "/room?id=1"):
        assert AUTH.within(given) == "/room?id=1"
    assert AUTH.within("/auth?a=1") == "/?a=1"
    assert AUTH.within("/auth//other.example") == "//other.example"  # which is then refused
    for given in ("", "//other.example", "?a", "#a", "/", "https://a.example"):
        assert NOTHING.within(given) == given
        assert AUTH.within(given) == given


def test_links_forms_and_files_of_a_page_are_located() -> None:
    page = (
        b'<a class="x" href="/login">/login</a><a href="#main"><form action=\'/logout\'>'
        b'<form data-stale="/a" data-options="/b"><script src="/auth/static/x.js">'
        b'<input name="next" value="/room"><a href="//b.example/"><p data-path="/etc">'
    )
    assert AUTH.locate_links(page) == (
        b'<a class="x" href="/auth/login">/login</a><a href="#main"><form action=\'/auth/logout\'>'
        b'<form data-stale="/auth/a" data-options="/auth/b"><script src="/auth/static/x.js">'
        b'<input name="next" value="/room"><a href="//b.example/"><p data-path="/etc">'
    )


def test_the_links_of_every_template_are_located() -> None:
    for template in (ROOT / "handlers" / "pages" / "templates").rglob("*.html"):
        text = template.read_bytes()
        links = re.findall(rb"""\s[\w-]+=["']/(?!/)[^"']*""", text)
        missed = [each for each in links if AUTH.locate_links(each) == each]
        assert missed == [], template


def test_it_is_no_address_of_the_server_itself() -> None:
    routes = ["/login$", r"/api/users/([^/]+)$", r"/openapi\.json$"]
    AUTH.require_no_route(routes)
    NOTHING.require_no_route(["/$"])
    AUTH.require_no_route([".*$", "(?:/a|/auth)$", r"(\w*)$", ""])  # an application's own
    for path in ("/login", "/api", "/api/v1", "/openapi.json"):
        with pytest.raises(ConfigurationError, match="takes another path"):
            BasePath(path).require_no_route(routes)
