"""The headers that protect browsers, in the answer that a handler begins with."""

import time

import pytest
from tornado.httputil import format_timestamp
from tornado.web import Application, RequestHandler

from handlers.http.application import Curfew
from handlers.http.base import BaseHandler
from handlers.http.headers import HSTS, NOTHING, DefaultHeaders, set_security_headers
from tests.support.clients.requests import request


def headers(*, pins_https: bool) -> dict[str, str]:
    """Return all headers of an answer."""
    handler = RequestHandler(Application(), request())
    set_security_headers(handler, pins_https=pins_https)
    return dict(handler._headers.get_all())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ],
)
def test_an_answer_is_kept_from_other_sites(name: str, value: str) -> None:
    assert headers(pins_https=False)[name] == value


def test_a_browser_may_do_nothing_with_an_answer_that_is_no_page() -> None:
    policy = headers(pins_https=False)["Content-Security-Policy"]
    assert policy == NOTHING
    assert {"default-src 'none'", "frame-ancestors 'none'", "sandbox"} <= set(policy.split("; "))


def test_https_is_pinned_only_where_the_settings_say_so() -> None:
    assert "Strict-Transport-Security" not in headers(pins_https=False)
    assert headers(pins_https=True)["Strict-Transport-Security"] == HSTS
    assert HSTS.startswith("max-age=31536000;")


def test_the_server_tells_its_name_and_no_version() -> None:
    assert headers(pins_https=False)["Server"] == "Curfew"


async def test_prepared_headers_are_those_that_a_handler_would_set(app: Curfew) -> None:
    """In the same order, and with the values of the moment."""
    own = BaseHandler(app, request(host=f"localhost:{app.configuration.port}"))
    prepared = dict(vars(own))
    RequestHandler.clear(own)
    assert list(vars(own)["_headers"].get_all()) == list(prepared["_headers"].get_all())
    others = [name for name in vars(own) if name != "_headers"]
    assert [prepared[name] for name in others] == [vars(own)[name] for name in others]


def test_the_date_of_prepared_headers_is_that_of_the_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1_800_000_000.2
    monkeypatch.setattr(time, "time", lambda: now)
    prepared = DefaultHeaders(pins_https=True)
    first = prepared.now()
    now += 0.5
    assert prepared.now()["Date"] == first["Date"] == format_timestamp(1_800_000_000)
    now += 0.5
    assert prepared.now()["Date"] == format_timestamp(1_800_000_001)
    assert first["Strict-Transport-Security"] == HSTS


def test_what_one_answer_changes_is_not_in_the_next() -> None:
    prepared = DefaultHeaders(pins_https=False)
    first = prepared.now()
    first["Vary"] = "*"
    first.add("Set-Cookie", "a=1")
    assert prepared.now()["Vary"] == "Cookie"
    assert "Set-Cookie" not in prepared.now()


async def test_a_handler_with_default_headers_of_its_own_sets_them(app: Curfew) -> None:
    class Own(BaseHandler):
        def set_default_headers(self) -> None:
            self.set_header("X-Own", "1")

    handler = Own(app, request(host=f"localhost:{app.configuration.port}"))
    assert handler._headers["X-Own"] == "1"
    assert "Content-Security-Policy" not in handler._headers
