"""What holds for every answer: its headers, and the hosts that are answered at all."""

import pytest
from tornado.httpclient import HTTPResponse

from handlers.http.access import Access
from handlers.http.application import Curfew
from handlers.http.base import BaseHandler
from handlers.pages.base import PageHandler
from server.core.errors import StoreUnavailable
from tests.security.crawl import NOWHERE, STATIC
from tests.support.clients.browser import Browser, page_of, problem_of
from tests.support.clients.routes import UNSAFE, all_routes

ROUTES = all_routes()
PROBES = ("/healthz", "/readyz", "/metrics")


@pytest.mark.gen_test
async def test_every_answer_is_kept_by_nobody_and_guarded(browser: Browser) -> None:
    paths = [*(route.path for route in ROUTES), "/nowhere", "/api/nowhere"]
    answers = [await browser.send("GET", "/api/session", Host="evil.example")]
    for signed_in in (False, True):
        if signed_in:
            await browser.sign_up("anna")
        answers += [
            await browser.send(method, path, {}, Origin="http://evil.example")
            for path in paths
            for method in ("GET", "HEAD", "BREW", *UNSAFE)
        ]
    for answer in answers:
        is_guarded(answer)
        assert answer.code < 500


@pytest.mark.gen_test
@pytest.mark.proves("3.4.3", "3.4.4", "3.4.5", "3.4.6", "4.1.1")
async def test_so_is_what_fails_and_what_is_held_back(app: Curfew, browser: Browser) -> None:
    failures = {"500": RuntimeError("a fault"), "503": StoreUnavailable("load", "TimeoutError")}
    for name, failure in failures.items():
        for base, place in ((BaseHandler, f"/api/fails/{name}"), (PageHandler, f"/fails/{name}")):
            app.add_handlers(".*", [(place, failing(base, failure))])
            answer = await browser.send("GET", place)
            assert str(answer.code) == name
            is_guarded(answer)
    for path in ("/api/login", "/login"):
        for _ in range(11):
            guess = {"username": "anna", "password": "no"}
            form = None if path.startswith("/api/") else guess
            answer = await browser.send("POST", path, guess, form=form)
        assert answer.code == 429
        is_guarded(answer)


def failing(base: type[BaseHandler], failure: Exception) -> type[BaseHandler]:
    """A handler that raises."""

    def get(_: BaseHandler) -> None:
        raise failure

    return type("Failing", (base,), {"access": Access.PUBLIC, "get": get})


def is_guarded(answer: HTTPResponse) -> None:
    """Check the headers that no answer may lack."""
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Vary"].startswith("Cookie")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Server"] == "Curfew"
    assert not answer.body or "charset=utf-8" in answer.headers["Content-Type"].lower()


@pytest.mark.gen_test
@pytest.mark.proves("A42")
async def test_no_address_is_answered_under_a_foreign_host(browser: Browser) -> None:
    paths = {route.path for route in ROUTES} | {*STATIC, *NOWHERE}
    for path in paths.difference(PROBES):
        refused = await browser.send("GET", path, Host="evil.example", Origin="http://evil.example")
        assert refused.code == 421, path
        assert "Set-Cookie" not in refused.headers


@pytest.mark.gen_test
@pytest.mark.proves("A42")
async def test_only_known_hosts_are_answered_but_for_probes(
    browser: Browser, http_port: int
) -> None:
    await browser.sign_up("anna")
    for host in (
        "evil.example",
        "localhost",
        f"localhost:1{http_port}",
        f"x.localhost:{http_port}",
    ):
        api = await browser.send("GET", "/api/session", Host=host)
        assert (api.code, problem_of(api)) == (421, "unknown-host")
        page = await browser.send("GET", "/account", Host=host)
        assert page.code == 421
        assert "CURFEW_ORIGINS" in page_of(page)
        for probe in PROBES:
            assert (await browser.send("GET", probe, Host=host)).code == 200
    for host in ("127.0.0.1", "[::1]", "LOCALHOST"):
        known = await browser.send("GET", "/api/session", Host=f"{host}:{http_port}")
        assert known.code == 200
