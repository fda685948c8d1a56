"""Where a second factor is required, the password alone opens nothing but the way to one."""

import asyncio
from collections.abc import Callable

import pytest

from handlers.http.access import Access
from handlers.http.application import Curfew
from handlers.http.base import BaseHandler
from handlers.pages.base import PageHandler
from handlers.routes import ROUTES
from server.services import Services
from tests.support.clients.authenticator import Authenticator
from tests.support.clients.browser import Browser, json_of, problem_of, sent_to
from tests.support.clients.client import PASSWORD
from tests.support.clients.factors import (
    PASSKEY_AGAIN,
    add_app,
    add_passkey,
    owed,
    sign_in_by_passkey,
)
from tests.support.clients.owing import (
    AGAIN,
    CLOSED,
    HOME,
    SERVED,
    is_led_to_setup,
    is_served,
    two_sessions,
)
from tests.support.clients.routes import Route, all_routes

ADA = {"username": "ada", "password": PASSWORD}

pytestmark = [
    pytest.mark.gen_test,
    pytest.mark.parametrize("variables", [{"SECOND_FACTOR": "required"}], ids=["required"]),
]


@pytest.mark.parametrize(("method", "route"), CLOSED)
@pytest.mark.proves("6.3.3", "8.3.1")
async def test_all_that_is_not_listed_is_closed_to_the_password_alone(
    browser: Browser, method: str, route: Route
) -> None:
    await browser.sign_up("ada")
    assert is_led_to_setup(await browser.send(method, route.path, {}), route)
    assert await browser.is_live()


@pytest.mark.usefixtures("browser")
async def test_what_is_listed_is_what_says_so() -> None:
    handlers = [each.handler_class for each in ROUTES]
    paths = [each.path for each in all_routes()]
    saying = {
        path
        for path, handler in zip(paths, handlers, strict=True)
        if issubclass(handler, BaseHandler) and handler.before_second_factor
    }
    assert saying == SERVED


@pytest.mark.proves("6.3.3", "16.5.3")
async def test_a_handler_that_says_nothing_is_closed_be_it_public_or_not(
    app: Curfew, browser: Browser
) -> None:
    class Forgotten(BaseHandler):
        def get(self) -> None:
            self.finish_json({"secret": 1})

    class Shared(Forgotten):
        access = Access.PUBLIC

    class ForgottenPage(PageHandler):
        def get(self) -> None:
            self.finish("secret")

    routes = [("/api/forgotten", Forgotten), ("/api/shared", Shared), ("/forgotten", ForgottenPage)]
    app.add_handlers(".*", routes)
    assert json_of(await browser.send("GET", "/api/shared")) == {"secret": 1}
    await browser.sign_up("ada")
    api, shared, page = await asyncio.gather(*(browser.send("GET", path) for path, _ in routes))
    assert problem_of(api) == problem_of(shared) == "second-factor-setup-required"
    assert sent_to(page) == HOME


async def test_the_session_can_be_seen_proved_again_and_left(browser: Browser) -> None:
    await browser.sign_up("ada")
    session = json_of(await browser.send("GET", "/api/session"))["session"]
    assert session["user"] == "ada"
    assert (await browser.send("POST", AGAIN, {"password": PASSWORD})).code == 200
    assert not await is_served(browser)  # the password once more is no second factor
    assert (await browser.send("GET", "/reauthenticate")).code == 200
    assert (await browser.send("POST", "/api/logout")).code == 200
    assert not await browser.is_live()
    await browser.sign_in("ada")
    assert sent_to(await browser.submit("/logout", "/logout")) == "/login?reason=logout"


@pytest.mark.proves("6.3.3")
async def test_the_first_factor_opens_everything_in_the_session_that_set_it_up(
    browser: Browser, services: Services
) -> None:
    await browser.sign_up("ada")
    assert not await is_served(browser)
    await add_app(browser, services.clock.now)
    assert await is_served(browser)
    await browser.sign_up("berta")
    assert not await is_served(browser)
    await add_passkey(browser, Authenticator(browser.url))
    assert await is_served(browser)
    assert (await browser.send("PATCH", "/api/session/data", {"a": 1})).code == 200
    body = {"current_password": PASSWORD, "new_password": PASSWORD[::-1]}
    assert (await browser.send("PUT", "/api/password", body)).code == 200
    assert await is_served(browser)  # under the token of the change, too


async def test_setting_a_factor_up_still_needs_a_recent_password(
    browser: Browser, services: Services, travel: Callable[[float], None]
) -> None:
    await browser.sign_up("ada")
    travel(301)
    refused = await browser.send("POST", "/api/totp")
    assert (refused.code, problem_of(refused)) == (403, "reauthentication-required")
    await browser.send("POST", AGAIN, {"password": PASSWORD})
    await add_app(browser, services.clock.now)
    assert await is_served(browser)


@pytest.mark.proves("6.3.3")
async def test_a_code_a_recovery_code_and_a_passkey_sign_in_to_everything(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    await browser.sign_up("ada")
    app, codes = await add_app(browser, services.clock.now)
    key = Authenticator(browser.url)
    await add_passkey(browser, key)
    for code in (app.code(), codes[0]):
        other = new_browser()
        body = {"challenge": (await owed(other, ADA))["challenge"], "code": code}
        assert (await other.send("POST", "/api/login/second-factor", body)).code == 200
        assert await is_served(other)
    for challenge in ({}, {"challenge": (await owed(new_browser(), ADA))["challenge"]}):
        other = new_browser()
        assert (await sign_in_by_passkey(other, key, **challenge)).code == 200
        assert await is_served(other)


@pytest.mark.proves("6.3.3")
async def test_a_passkey_that_verifies_nobody_is_no_second_factor(browser: Browser) -> None:
    await browser.sign_up("ada")
    options = json_of(await browser.send("POST", "/api/passkeys/options"))
    careless = Authenticator(browser.url, verifies=False)
    body = {"credential": careless.make(options), "name": "key"}
    refused = await browser.send("POST", "/api/passkeys", body)
    assert (refused.code, problem_of(refused)) == (400, "bad-passkey")
    assert not await is_served(browser)


@pytest.mark.proves("6.3.3")
@pytest.mark.parametrize("by", ["code", "passkey"])
async def test_a_session_from_before_proves_the_factor_that_there_is(
    browser: Browser, new_browser: Callable[[], Browser], services: Services, by: str
) -> None:
    other = new_browser()
    app, key = await two_sessions(browser, other, services)
    missing = await other.send("POST", AGAIN, {"password": PASSWORD})
    assert problem_of(missing) == "second-factor-required"
    assert not await is_served(other)
    if by == "code":
        proved = await other.send("POST", AGAIN, {"password": PASSWORD, "code": app.code()})
    else:
        options = json_of(await other.send("POST", f"{PASSKEY_AGAIN}/options"))
        proved = await other.send("POST", PASSKEY_AGAIN, {"credential": key.use(options)})
    assert proved.code == 200
    assert await is_served(other)


@pytest.mark.proves("6.3.3", "7.5.1")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/api/totp"),
        ("POST", "/api/recovery-codes"),
        ("POST", "/api/passkeys/options"),
        ("DELETE", "/api/passkeys/AAAA"),
    ],
)
async def test_who_owes_a_proof_changes_no_factor_that_there_is(
    browser: Browser,
    new_browser: Callable[[], Browser],
    services: Services,
    method: str,
    path: str,
) -> None:
    other = new_browser()
    await two_sessions(browser, other, services)
    refused = await other.send(method, path)
    assert (refused.code, problem_of(refused)) == (403, "reauthentication-required")


@pytest.mark.proves("6.3.3", "7.4.3")
async def test_removing_the_last_factor_ends_every_session_and_it_is_set_up_anew(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    other = new_browser()
    _, key = await two_sessions(browser, other, services)
    await browser.send("DELETE", "/api/totp?end_other_sessions=false")
    assert await is_served(browser)  # one is left
    assert await other.is_live()
    removed = await browser.send("DELETE", f"/api/passkeys/{key.id}?end_other_sessions=false")
    assert json_of(removed)["receipt"]["sessions"] == 2
    assert browser.cookie == ""
    assert json_of(await other.send("GET", "/api/session"))["reason"] == "credential_changed"
    await new_browser().sign_in("ada")
    again = new_browser()
    await again.sign_in("ada")
    assert not await is_served(again)
    await add_app(again, services.clock.now)
    assert await is_served(again)


async def test_administrators_are_asked_as_well(browser: Browser, services: Services) -> None:
    await services.accounts.create("root", PASSWORD, admin=True)
    await browser.sign_in("root")
    refused = await browser.send("GET", "/api/admin/users/root/sessions")
    assert problem_of(refused) == "second-factor-setup-required"
    await add_app(browser, services.clock.now)
    assert (await browser.send("GET", "/api/admin/users/root/sessions")).code == 200


async def test_a_visitor_who_is_nobody_is_asked_for_nothing(browser: Browser) -> None:
    assert (await browser.send("PATCH", "/api/session/data", {"a": 1})).code == 200
    assert json_of(await browser.send("GET", "/api/session/data")) == {"a": 1}
    assert (await browser.send("GET", "/")).code == 200
