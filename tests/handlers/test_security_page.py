"""Two-step sign-in by forms alone, as a browser without JavaScript uses it."""

import json
import re
from collections.abc import Callable

import pytest
from tornado.httpclient import HTTPResponse

from handlers.pages.cookie_check import path_after_sign_in
from server.services import Services
from tests.support.clients.authenticator import Authenticator
from tests.support.clients.browser import Browser, form_of, json_of, page_of, sent_to
from tests.support.clients.client import PASSWORD
from tests.support.clients.factors import App, add_app, add_passkey

HOME = "/account/security"
CONFIRM = f"{HOME}/totp/confirm"

pytestmark = pytest.mark.gen_test


def codes_on(response: HTTPResponse) -> list[str]:
    return re.findall(r"<li><code class=\"secret\">([a-z2-7-]{29})</code>", page_of(response))


async def begin(browser: Browser, services: Services) -> tuple[HTTPResponse, App]:
    page = await browser.submit(HOME, f"{HOME}/totp")
    secret = re.search(r"<code id=\"totp-secret\" class=\"secret\">([A-Z2-7 ]+)<", page_of(page))
    assert secret
    return page, App(secret[1].replace(" ", ""), services.clock.now)


async def turn_on(browser: Browser, services: Services) -> tuple[App, list[str]]:
    await browser.sign_up("ada")
    page, app = await begin(browser, services)
    form = form_of(page, CONFIRM) | {"code": app.code(0)}
    done = await browser.send("POST", CONFIRM, form=form)
    assert done.code == 200
    return app, codes_on(done)


async def test_an_app_is_set_up_by_a_drawing_or_by_hand(
    browser: Browser, services: Services
) -> None:
    await browser.sign_up("ada")
    account = page_of(await browser.send("GET", "/account"))
    assert f'href="{HOME}"' in account
    page, app = await begin(browser, services)
    drawing = page_of(page).partition("<svg viewBox")[2]
    assert "<path" in page_of(page)
    assert "style" not in drawing.partition("</svg>")[0]
    wrong = form_of(page, CONFIRM) | {"code": app.wrong_code()}
    again = await browser.send("POST", CONFIRM, form=wrong)
    assert again.code == 403
    assert 'role="alert"' in page_of(again)
    right = form_of(again, CONFIRM) | {"code": app.code()}
    assert right["end_other_sessions"] == "on"
    done = await browser.send("POST", CONFIRM, form=right)
    codes = codes_on(done)
    assert len(codes) == 10
    shown_later = page_of(await browser.send("GET", HOME))
    assert not [code for code in codes if code in shown_later]
    assert json_of(await browser.send("GET", "/api/factors"))["recovery_codes_left"] == 10


@pytest.mark.parametrize("kind", ["app", "recovery"])
async def test_signing_in_asks_for_the_code_and_goes_on_to_where_one_wanted(
    browser: Browser, new_browser: Callable[[], Browser], services: Services, kind: str
) -> None:
    app, codes = await turn_on(browser, services)
    other = new_browser()
    fields = {"username": "ada", "password": PASSWORD, "next": "/?a=1"}
    asked = await other.send("POST", "/login", form=fields)
    assert asked.code == 401
    assert "Set-Cookie" not in asked.headers
    form = form_of(asked, "/login/second-factor")
    wrong = await other.send("POST", "/login/second-factor", form=form | {"code": "x"})
    assert wrong.code == 401
    assert 'role="alert"' in page_of(wrong)
    form = form_of(wrong, "/login/second-factor")
    form["code"] = app.code() if kind == "app" else codes[0]
    done = await other.send("POST", "/login/second-factor", form=form)
    assert sent_to(done) == path_after_sign_in("/?a=1")
    assert await other.is_live()


async def test_a_challenge_past_its_time_leads_back_to_the_password(
    browser: Browser,
    new_browser: Callable[[], Browser],
    services: Services,
    travel: Callable[[float], None],
) -> None:
    app, _ = await turn_on(browser, services)
    other = new_browser()
    fields = {"username": "ada", "password": PASSWORD}
    form = form_of(await other.send("POST", "/login", form=fields), "/login/second-factor")
    travel(301)
    late = await other.send("POST", "/login/second-factor", form=form | {"code": app.code()})
    assert late.code == 401
    assert "password" in form_of(late, "/login")
    for path in ("/login/second-factor", "/login/passkey"):
        assert sent_to(await other.send("GET", path)) == "/login"


async def test_proving_it_again_asks_for_the_code_where_there_is_one(
    browser: Browser, services: Services
) -> None:
    await browser.sign_up("ada")
    assert "code" not in form_of(await browser.send("GET", "/reauthenticate"), "/reauthenticate")
    app, _ = await add_app(browser, services.clock.now)
    page = f"/reauthenticate?next={HOME}"
    wrong = await browser.submit(page, "/reauthenticate", password=PASSWORD, code="000")
    assert wrong.code == 403
    done = await browser.submit(page, "/reauthenticate", password=PASSWORD, code=app.code())
    assert sent_to(done) == HOME


async def test_a_stale_form_asks_for_all_that_the_account_takes_and_carries_on(
    browser: Browser, services: Services, travel: Callable[[float], None]
) -> None:
    await browser.sign_up("ada")
    app, _ = await add_app(browser, services.clock.now)
    travel(301)
    remove = f"{HOME}/totp/remove"
    asked = await browser.submit(HOME, remove)
    assert asked.code == 403
    form = form_of(asked, remove) | {"password": PASSWORD}
    refused = await browser.send("POST", remove, form=form | {"code": ""})
    assert refused.code == 403
    assert json_of(await browser.send("GET", "/api/factors"))["totp"]
    removed = await browser.send("POST", remove, form=form | {"code": app.code()})
    assert removed.code == 200
    assert json_of(await browser.send("GET", "/api/factors"))["totp"] is None


async def test_a_stale_form_takes_a_passkey_too(
    browser: Browser, travel: Callable[[float], None]
) -> None:
    await browser.sign_up("ada")
    key = Authenticator(browser.url)
    await add_passkey(browser, key)
    travel(301)
    remove = f"{HOME}/passkeys/remove"
    form = form_of(await browser.submit(HOME, remove), remove)
    options = json_of(await browser.send("POST", "/api/session/reauthenticate/passkey/options"))
    form["credential"] = json.dumps(key.use(options))
    assert (await browser.send("POST", remove, form=form)).code == 200
    assert json_of(await browser.send("GET", "/api/factors"))["passkeys"] == []


@pytest.mark.parametrize("path", ["totp/confirm", "passkeys"])
async def test_what_was_begun_too_long_ago_is_begun_anew(
    browser: Browser, services: Services, travel: Callable[[float], None], path: str
) -> None:
    await browser.sign_up("ada")
    page, app = await begin(browser, services)
    form = form_of(page, CONFIRM) | {"credential": "{}", "name": "key"}
    travel(301)
    asked = await browser.send("POST", f"{HOME}/{path}", form=form | {"code": app.code()})
    assert asked.code == 403
    assert form_of(asked, "/reauthenticate")["next"] == HOME


async def test_a_stale_change_of_the_password_asks_for_the_code_first(
    browser: Browser, services: Services, travel: Callable[[float], None]
) -> None:
    await browser.sign_up("ada")
    await add_app(browser, services.clock.now)
    travel(301)
    fields = {"current_password": PASSWORD, "new_password": "eleven herons on the ferry"}
    asked = await browser.submit("/account", "/account/password", **fields)
    assert asked.code == 403
    assert "code" in form_of(asked, "/reauthenticate")
    assert await services.accounts.verify("ada", PASSWORD)


async def test_recovery_codes_are_made_anew_by_a_form(browser: Browser, services: Services) -> None:
    _, former = await turn_on(browser, services)
    codes = codes_on(await browser.submit(HOME, f"{HOME}/recovery-codes"))
    assert len(codes) == 10
    assert not set(codes) & set(former)


async def test_what_a_script_fills_in_is_sent_like_any_form(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    await browser.sign_up("ada")
    key = Authenticator(browser.url)
    options = json_of(await browser.send("POST", "/api/passkeys/options"))
    made = json.dumps(key.make(options))
    added = await browser.submit(HOME, f"{HOME}/passkeys", credential=made, name="<b>key</b>")
    assert added.code == 200
    assert len(codes_on(added)) == 10
    assert "&lt;b&gt;key&lt;/b&gt;" in page_of(added)

    other = new_browser()
    options = json_of(await other.send("POST", "/api/login/passkey/options", {}))
    signed = json.dumps(key.use(options))
    done = await other.submit("/login", "/login/passkey", credential=signed)
    assert sent_to(done) == path_after_sign_in("/account")
    assert await other.is_live()
    refused = await new_browser().submit("/login", "/login/passkey", credential="[1")
    assert refused.code == 401

    again = "/reauthenticate"
    options = json_of(await browser.send("POST", "/api/session/reauthenticate/passkey/options"))
    form = form_of(await browser.send("GET", again), again) | {"password": ""}
    refused = await browser.send("POST", again, form=form | {"credential": "[]"})
    assert refused.code == 403
    form["credential"] = json.dumps(key.use(options))
    assert sent_to(await browser.send("POST", again, form=form)) == "/account"

    removed = await browser.submit(HOME, f"{HOME}/passkeys/remove")
    assert removed.code == 200
    assert json_of(await browser.send("GET", "/api/factors"))["passkeys"] == []


@pytest.mark.parametrize(
    "path", ["totp", "totp/confirm", "totp/remove", "recovery-codes", "passkeys", "passkeys/remove"]
)
async def test_the_address_that_a_form_leaves_behind_leads_back(
    browser: Browser, path: str
) -> None:
    await browser.sign_up("ada")
    assert sent_to(await browser.send("GET", f"{HOME}/{path}")) == HOME


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("totp/confirm", {"setup": "AAAA", "code": "123456"}, 409),
        ("totp/remove", {}, 404),
        ("recovery-codes", {}, 409),
        ("passkeys", {"credential": "{}", "name": "key"}, 409),
        ("passkeys/remove", {"id": "AAAA"}, 404),
    ],
)
async def test_what_cannot_be_done_is_told_on_the_page(
    browser: Browser, path: str, fields: dict[str, str], status: int
) -> None:
    await browser.sign_up("ada")
    form = fields | {"csrf_token": browser.csrf_token}
    refused = await browser.send("POST", f"{HOME}/{path}", form=form)
    assert refused.code == status
    assert 'role="alert"' in page_of(refused)
