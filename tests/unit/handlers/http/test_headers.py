"""The headers that protect browsers, in the answer that a handler begins with."""

import pytest
from tornado.web import Application, RequestHandler

from handlers.http.headers import HSTS, NOTHING, set_security_headers
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
