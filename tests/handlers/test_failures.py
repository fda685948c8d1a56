"""What goes wrong between the checks and the answer: told as it is, and without a new cookie."""

import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from handlers.http.access import Access
from handlers.http.application import Curfew
from handlers.http.base import BaseHandler
from handlers.pages.base import PageHandler
from server.core.errors import SessionError, WriteConflict
from server.core.reasons import Reason
from server.core.session import Session
from server.services import Services
from tests.support.clients.browser import Browser, cookie_of, json_of, page_of, problem_of
from tests.support.clients.client import PASSWORD
from tests.support.clients.routes import Route, all_routes

SECRET = "the secret in the exception"
HANDSHAKE: dict[str, Any] = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec_WebSocket_Version": "13",
    "Sec_WebSocket_Key": "A" * 22 + "==",
}


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("failure", "status", "problem"),
    [
        (WriteConflict("00" + "A" * 22, 16), 409, "write-conflict"),
        (SessionError(SECRET), 500, "internal"),
        (RuntimeError(SECRET), 500, "internal"),
        (SystemExit(SECRET), 500, "internal"),
    ],
)
@pytest.mark.proves("A83", "16.5.1")
async def test_a_failure_is_told_without_its_text(
    app: Curfew,
    browser: Browser,
    caplog: pytest.LogCaptureFixture,
    failure: BaseException,
    status: int,
    problem: str,
) -> None:
    class Failing(BaseHandler):
        access = Access.PUBLIC

        def get(self) -> None:
            raise failure

    class FailingPage(PageHandler):
        access = Access.PUBLIC

        def get(self) -> None:
            raise failure

    app.add_handlers(".*", [("/api/failing", Failing), ("/failing", FailingPage)])
    for path in ("/api/failing", "/failing"):
        refused = await browser.send("GET", path)
        assert refused.code == status
        assert SECRET not in refused.body.decode()
        assert "Set-Cookie" not in refused.headers
        assert problem_of(refused) == problem if path.startswith("/api") else page_of(refused)
    unexpected = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert len(unexpected) == (0 if isinstance(failure, SessionError) else 2)
    assert all(each.exc_info for each in unexpected)


@pytest.mark.gen_test
@pytest.mark.parametrize("route", all_routes(), ids=lambda route: str(route.path))
@pytest.mark.proves("A83", "16.5.1", "16.5.4")
async def test_whichever_handler_fails_nothing_of_the_inside_is_told(
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    services: Services,
    route: Route,
) -> None:
    await services.accounts.create("root", PASSWORD, admin=True)
    await browser.sign_in("root")

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    for method in sorted(route.methods - {"HEAD"}):
        monkeypatch.setattr(route.handler, method.lower(), fail)
        failed = await browser.send(method, route.path, {}, **HANDSHAKE)
        assert failed.code == 500
        assert problem_of(failed) == "internal" if route.is_api else page_of(failed)
        told = f"{failed.headers} {failed.body.decode()}"
        assert not [each for each in (SECRET, "Traceback", ".py", "RuntimeError") if each in told]
        assert "Set-Cookie" not in failed.headers
    written = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert len(written) == len(route.methods - {"HEAD"})
    for secret in (browser.cookie, browser.csrf_token, PASSWORD):
        assert secret not in caplog.text
    assert await browser.is_live() or route.path == "/api/session"


@pytest.mark.gen_test
@pytest.mark.proves("A23")
async def test_a_session_that_ends_while_it_is_served_takes_no_write(
    app: Curfew, browser: Browser, services: Services
) -> None:
    class Late(BaseHandler):
        async def get(self) -> None:
            await services.terminations.one(self.session, Reason.ADMIN)
            await self.write_data({"late": 1})

    app.add_handlers(".*", [("/api/late", Late)])
    await browser.sign_up("anna")
    late = await browser.send("GET", "/api/late")
    assert (late.code, json_of(late)["reason"]) == (401, "admin")
    assert "Set-Cookie" not in late.headers


@pytest.mark.gen_test
@pytest.mark.proves("A25")
async def test_a_sign_in_does_not_survive_the_end_of_all_sessions_beside_it(
    browser: Browser, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    await browser.sign_up("anna")
    verify = services.accounts.verify

    async def end_all_meanwhile(username: str, password: str) -> object:
        await services.terminations.all_of("anna", Reason.TERMINATED)
        return await verify(username, password)

    monkeypatch.setattr(services.accounts, "verify", end_all_meanwhile)
    browser.cookie = browser.csrf_token = ""
    credentials = {"username": "anna", "password": PASSWORD}
    refused = await browser.send("POST", "/api/login", credentials)
    assert (refused.code, problem_of(refused)) == (409, "sign-in-interrupted")
    assert "Set-Cookie" not in refused.headers
    page = await browser.send("POST", "/login", form=credentials)
    assert page.code == 409
    assert "Try again" in page_of(page)


@pytest.mark.gen_test
@pytest.mark.parametrize("variables", [{"NODE_LEASE": "1s"}])
@pytest.mark.proves("16.5.3", "A37")
async def test_a_node_that_loses_its_proof_meanwhile_does_not_give_the_answer(
    app: Curfew, browser: Browser, services: Services
) -> None:
    def lapse() -> None:
        services.engine.fence.of(browser.sid).note_followed(time.monotonic() - 3600)

    class Paused(BaseHandler):
        def get(self) -> None:
            lapse()
            self.finish_json({"secret": 1})

    class PausedPage(PageHandler):
        def get(self) -> None:
            lapse()
            self.render("account.html", sessions=[], activity=[], error=None, notice=None)

    app.add_handlers(".*", [("/api/paused", Paused), ("/paused", PausedPage)])
    await browser.sign_up("anna")
    for path in ("/api/paused", "/paused"):
        await services.engine.fence.opened()
        answer = await browser.send("GET", path)
        assert answer.code == 503
        assert answer.headers["Retry-After"] == "1"
        assert b"secret" not in answer.body
        assert b"anna" not in answer.body
    await services.engine.fence.opened()
    assert await browser.is_live()


@pytest.mark.gen_test
async def test_a_node_that_lost_its_proof_does_not_begin_with_the_request(
    browser: Browser, services: Services
) -> None:
    await browser.sign_up("anna")
    services.engine.fence.of(browser.sid).note_followed(time.monotonic() - 3600)
    refused = await browser.send("PATCH", "/api/session/data", {"late": 1})
    assert (refused.code, problem_of(refused)) == (503, "unavailable")
    kept = await services.sessions.current(browser.sid)
    assert isinstance(kept, Session)
    assert kept.data == {}


Until = Callable[[float], None]


@pytest.mark.gen_test
async def test_a_rotation_that_is_due_is_the_answer_to_asking_for_one(
    browser: Browser, travel: Until
) -> None:
    await browser.sign_up("anna")
    former = browser.cookie
    travel(901)
    rotated = await browser.send("POST", "/api/session/rotate")
    assert json_of(rotated) == {"generation": 2}
    assert cookie_of(rotated) not in {None, former}
    assert json_of(await browser.send("GET", "/api/session"))["session"]["generation"] == 2


@pytest.mark.gen_test
async def test_a_refused_request_hands_out_no_token(browser: Browser, travel: Until) -> None:
    """The next one that is answered does: nothing is lost but the reply's cookie."""
    await browser.sign_up("anna")
    travel(901)
    refused = await browser.send("POST", "/api/logout", X_CSRF_Token="wrong")
    assert (refused.code, cookie_of(refused)) == (403, None)
    assert cookie_of(await browser.send("GET", "/api/session"))


@pytest.mark.gen_test
@pytest.mark.parametrize("variables", [{"TLS_CERT": __file__, "TLS_KEY": __file__}])
async def test_a_server_that_speaks_tls_says_that_it_always_will(browser: Browser) -> None:
    for path in ("/", "/api/session", "/nowhere"):
        answer = await browser.send("GET", path)
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
