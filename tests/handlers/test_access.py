"""Nothing is open unless it says so: all routes, with all methods, without and with a session."""

import asyncio
from collections.abc import Callable

import pytest
from tornado.httpclient import HTTPResponse

from handlers.http.application import Curfew
from handlers.http.base import BaseHandler
from handlers.pages.base import PageHandler
from server.services import Services
from tests.support.clients.browser import Browser, json_of, page_of, problem_of
from tests.support.clients.client import PASSWORD
from tests.support.clients.routes import LOOK, METHODS, NOBODY, UNSAFE, Route, all_routes

ROUTES = all_routes()
READING = ("GET", "HEAD")
PUBLIC = {
    *((method, "/") for method in READING),
    *((method, path) for method in (*READING, "POST") for path in ("/signup", "/login", "/logout")),
    ("POST", "/api/signup"),
    ("POST", "/api/login"),
    *(("POST", f"/api/login/{step}") for step in ("second-factor", "passkey", "passkey/options")),
    *(
        (method, f"/login/{step}")
        for method in (*READING, "POST")
        for step in ("second-factor", "passkey")
    ),
    *((method, "/api/session/data") for method in (*READING, "PATCH")),
    *((method, path) for method in READING for path in ("/healthz", "/readyz")),
    *((method, path) for method in READING for path in ("/metrics", "/openapi.json")),
    *(("OPTIONS", path) for path in ("/", "/healthz", "/readyz", "/metrics")),  # probes
    ("GET", "/ws"),  # told why by a close code, which needs the upgrade
}
FOR_ANY_SESSION = {
    *((method, "/api/session") for method in READING),
    ("POST", "/api/session/rotate"),
    ("POST", "/api/logout"),
}
FOR_A_RECENT_PASSWORD = {
    ("DELETE", "/api/sessions"),
    ("DELETE", f"/api/sessions/{NOBODY}"),
    ("PUT", "/api/password"),
    ("POST", "/account/password"),
    ("POST", "/account/sessions/end"),
    ("POST", f"/account/sessions/{NOBODY}/end"),
    *((method, "/api/totp") for method in ("POST", "PUT", "DELETE")),
    ("POST", "/api/recovery-codes"),
    *(("POST", f"/api/passkeys{rest}") for rest in ("", "/options")),
    ("DELETE", f"/api/passkeys/{NOBODY}"),
    *(("POST", f"/account/security/{form}") for form in ("totp", "passkeys", "recovery-codes")),
    *(("POST", f"/account/security/totp/{form}") for form in ("confirm", "remove")),
    ("POST", "/account/security/passkeys/remove"),
}
CLOSED = [
    (method, route)
    for route in ROUTES
    for method in METHODS
    if method in route.methods
    and (method, route.path) not in PUBLIC
    and route.path not in {"/ws", LOOK}
]


def refuses_strangers(answer: HTTPResponse, route: Route) -> None:
    """Check that the answer is the one to somebody who is not signed in."""
    assert "Set-Cookie" not in answer.headers
    if not route.is_api:
        assert answer.code == 303
        assert answer.headers["Location"].partition("?")[0] == "/login"
        assert answer.body == b""
    elif answer.request.method == "HEAD":
        assert answer.code == 401
    else:
        assert (answer.code, problem_of(answer)) == (401, "unauthenticated")


@pytest.mark.gen_test
@pytest.mark.parametrize(("method", "route"), CLOSED)
@pytest.mark.proves("7.2.1", "8.1.1", "8.3.1")
async def test_without_a_session_all_that_is_not_listed_as_public_is_closed(
    browser: Browser, method: str, route: Route
) -> None:
    for cookie in ("", "planted"):
        browser.cookie = cookie
        refuses_strangers(await browser.send(method, route.path, {}), route)


@pytest.mark.gen_test
@pytest.mark.proves("8.1.1")
async def test_an_anonymous_session_opens_no_more_than_what_is_listed(browser: Browser) -> None:
    await browser.send("PATCH", "/api/session/data", {"a": 1})
    browser.csrf_token = json_of(await browser.send("GET", "/api/session"))["csrf_token"]
    for method, route in CLOSED:
        if (method, route.path) not in FOR_ANY_SESSION:
            refuses_strangers(await browser.send(method, route.path, {}), route)


@pytest.mark.gen_test
@pytest.mark.proves("8.1.1", "7.4.5")
async def test_a_person_without_the_role_is_no_administrator(browser: Browser) -> None:
    await browser.sign_up("anna")
    tried = 0
    for method, route in CLOSED:
        if route.path.startswith("/api/admin/"):
            refused = await browser.send(method, route.path, {})
            assert refused.code == 403
            assert method == "HEAD" or problem_of(refused) == "not-admin"
            tried += 1
    assert tried >= 3


@pytest.mark.gen_test
@pytest.mark.proves("7.5.3", "8.4.2", "7.5.1")
async def test_an_old_password_opens_only_what_does_not_matter(
    browser: Browser,
    new_browser: Callable[[], Browser],
    services: Services,
    travel: Callable[[float], None],
) -> None:
    other = new_browser()
    await services.accounts.create("root", PASSWORD, admin=True)
    await browser.sign_in("root")
    await other.sign_in("root")
    travel(301)
    for method, route in CLOSED:
        if route.path.startswith("/api/admin/") or (method, route.path) in FOR_A_RECENT_PASSWORD:
            if route.is_api:
                refused = await browser.send(method, route.path, {})
                assert refused.code == 403
                assert method == "HEAD" or problem_of(refused) == "reauthentication-required"
            else:
                path = route.path.replace(NOBODY, other.sid)
                form = {"csrf_token": browser.csrf_token, "scope": "all"}
                assert (await browser.send(method, path, form=form)).code == 403
    assert await browser.is_live()
    assert await other.is_live()


@pytest.mark.gen_test
@pytest.mark.proves("8.1.1", "16.5.3")
async def test_a_handler_that_says_nothing_of_access_is_closed(
    app: Curfew, browser: Browser
) -> None:
    class Forgotten(BaseHandler):
        def get(self) -> None:
            self.finish_json({"secret": 1})

    class ForgottenPage(PageHandler):
        def get(self) -> None:
            self.finish("secret")

    app.add_handlers(".*", [("/api/forgotten", Forgotten), ("/forgotten", ForgottenPage)])
    api, page = await asyncio.gather(
        browser.send("GET", "/api/forgotten"), browser.send("GET", "/forgotten")
    )
    assert (api.code, problem_of(api)) == (401, "unauthenticated")
    assert (page.code, page.headers["Location"]) == (303, "/login?next=%2Fforgotten")
    await browser.sign_up("anna")
    assert json_of(await browser.send("GET", "/api/forgotten")) == {"secret": 1}


@pytest.mark.gen_test
@pytest.mark.parametrize("route", [each for each in ROUTES if each.path != "/ws"])
@pytest.mark.proves("A77", "4.1.4")
async def test_another_method_is_refused_with_the_ones_there_are(
    browser: Browser, route: Route
) -> None:
    await browser.sign_up("anna")
    for method in {*METHODS, "TRACE", "BREW"} - route.methods:
        refused = await browser.send(method, route.path)
        assert refused.code == 405
        assert set(refused.headers["Allow"].split(", ")) == route.methods
        if method != "HEAD":
            assert problem_of(refused) == "method-not-allowed" if route.is_api else page_of(refused)


def test_the_switches_alone_change_something_and_read_no_session() -> None:
    blind = [each for each in ROUTES if not each.handler.has_session]
    assert [each.path for each in blind if each.methods & set(UNSAFE)] == [LOOK]


@pytest.mark.gen_test
async def test_a_socket_is_opened_by_get_alone(browser: Browser) -> None:
    await browser.sign_up("anna")
    for method in ("HEAD", "POST"):
        refused = await browser.send(
            method,
            "/ws",
            Upgrade="websocket",
            Connection="Upgrade",
            Sec_WebSocket_Version="13",
            Sec_WebSocket_Key="A" * 22 + "==",
        )
        assert (refused.code, refused.headers["Allow"]) == (405, "GET")


@pytest.mark.gen_test
async def test_head_is_answered_as_get_without_the_body(browser: Browser) -> None:
    await browser.sign_up("anna")
    for route in ROUTES:
        if "GET" in route.methods and route.path not in {"/ws", "/metrics"}:
            read = await browser.send("GET", route.path)
            head = await browser.send("HEAD", route.path)
            assert (head.code, head.body) == (read.code, b"")
            names = {*read.headers} - {"Date"}
            assert {*head.headers} - {"Date"} == names
            assert head.headers["Content-Length"] == read.headers["Content-Length"]
