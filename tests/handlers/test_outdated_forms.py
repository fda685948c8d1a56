"""Forms for signing in and up that another tab has outdated since they were shown."""

from collections.abc import Callable
from typing import Any

import pytest

from server.services import Services
from tests.support.clients.browser import Browser, form_of, json_of, page_of, sent_to
from tests.support.clients.client import PASSWORD
from tests.support.clients.factors import add_app

pytestmark = pytest.mark.gen_test

OTHER_PASSWORD = "eleven herons on the morning ferry"
ANNA = {"username": "anna", "password": PASSWORD}
BOB = {"username": "bob", "password": OTHER_PASSWORD}


async def user_of(browser: Browser) -> tuple[str | None, str]:
    """Whom the browser's session belongs to, and which one it is."""
    session = json_of(await browser.send("GET", "/api/session"))["session"]
    return session["user"], session["id"]


async def begin(services: Services) -> None:
    await services.accounts.create("anna", PASSWORD)
    await services.accounts.create("bob", OTHER_PASSWORD)


async def test_the_tab_that_waited_goes_on_with_the_session_of_the_other(
    browser: Browser, services: Services
) -> None:
    await begin(services)
    waiting = form_of(await browser.send("GET", "/login?next=/room?id=42"), "/login")
    await browser.send("POST", "/login", form=ANNA)
    before = await user_of(browser)
    done = await browser.send("POST", "/login", form=waiting | {**ANNA, "username": "Anna"})
    assert sent_to(done) == "/room?id=42"
    assert await user_of(browser) == before  # the first tab is not signed out by the second


async def test_a_wrong_password_is_wrong_there_too(browser: Browser, services: Services) -> None:
    await begin(services)
    await browser.send("POST", "/login", form=ANNA)
    before = await user_of(browser)
    refused = await browser.send("POST", "/login", form=ANNA | {"password": OTHER_PASSWORD})
    assert refused.code == 403
    assert "password is wrong" in page_of(refused)
    assert form_of(refused, "/login")["username"] == "anna"
    assert await user_of(browser) == before
    again = form_of(refused, "/login") | {"password": PASSWORD}
    assert (await browser.send("POST", "/login", form=again)).code == 303


async def test_somebody_else_takes_the_browser_over_as_in_a_form_that_is_new(
    browser: Browser, services: Services
) -> None:
    await begin(services)
    await browser.send("POST", "/login", form=ANNA)
    _, before = await user_of(browser)
    assert (await browser.send("POST", "/login", form=BOB)).code == 303
    user, after = await user_of(browser)
    assert (user, after == before) == ("bob", False)


async def test_a_form_from_before_a_visitors_session_or_of_a_former_one_is_taken(
    browser: Browser, services: Services
) -> None:
    await begin(services)
    await browser.send("PATCH", "/api/session/data", {"a": 1})
    former = form_of(await browser.send("GET", "/login"), "/login")
    assert former["csrf_token"]
    assert (await browser.send("POST", "/login", form=ANNA)).code == 303
    assert (await browser.send("POST", "/login", form=former | BOB)).code == 303
    assert (await user_of(browser))[0] == "bob"


async def test_a_form_of_a_session_that_was_logged_out_elsewhere_is_taken(
    browser: Browser, services: Services
) -> None:
    await begin(services)
    await browser.send("POST", "/login", form=ANNA)
    token = form_of(await browser.send("GET", "/logout"), "/logout")
    former = form_of(await browser.send("GET", "/signup"), "/signup")
    await browser.send("POST", "/logout", form=token)
    await browser.send("POST", "/login", form=BOB)
    new = former | {"username": "carl", "password": PASSWORD}
    assert (await browser.send("POST", "/signup", form=new)).code == 303
    assert (await user_of(browser))[0] == "carl"


async def test_the_account_that_another_tab_made_and_signed_in_to_is_gone_on_with(
    browser: Browser,
) -> None:
    waiting = form_of(await browser.send("GET", "/signup?next=/room?id=42"), "/signup") | ANNA
    await browser.send("POST", "/signup", form=waiting)
    before = await user_of(browser)
    assert sent_to(await browser.send("POST", "/signup", form=waiting)) == "/room?id=42"
    assert await user_of(browser) == before
    taken = await browser.send("POST", "/signup", form=waiting | {"password": OTHER_PASSWORD})
    assert taken.code == 409


async def test_the_second_step_of_a_tab_goes_on_with_the_sign_in_of_the_other(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    await browser.sign_up("anna")
    app, codes = await add_app(browser, services.clock.now)
    other = new_browser()
    steps = []
    for _ in range(2):
        asked = await other.send("POST", "/login", form=ANNA | {"next": "/room?id=42"})
        steps.append(form_of(asked, "/login/second-factor"))
    await other.send("POST", "/login/second-factor", form=steps[0] | {"code": app.code()})
    before = await user_of(other)
    done = await other.send("POST", "/login/second-factor", form=steps[1] | {"code": codes[0]})
    assert sent_to(done) == "/room?id=42"
    assert await user_of(other) == before
    left = json_of(await browser.send("GET", "/api/factors"))["recovery_codes_left"]
    assert left == 10  # nothing had to be proved, so no code is used up
    password = await other.send("POST", "/login", form=ANNA | {"next": "/room?id=42"})
    assert sent_to(password) == "/room?id=42"


async def test_the_second_step_of_somebody_else_signs_them_in(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    await begin(services)
    await browser.sign_in("anna")
    app, _ = await add_app(browser, services.clock.now)
    other = new_browser()
    step = form_of(await other.send("POST", "/login", form=ANNA), "/login/second-factor")
    await other.send("POST", "/login", form=BOB)
    done = await other.send("POST", "/login/second-factor", form=step | {"code": app.code()})
    assert done.code == 303
    assert (await user_of(other))[0] == "anna"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": None},
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Origin": None, "Sec_Fetch_Site": "cross-site"},
        {"Origin": None, "Sec_Fetch_Site": "same-site"},
        {"Origin": None, "Sec_Fetch_Site": "none"},
    ],
)
@pytest.mark.proves("A67", "3.5.1")
async def test_only_a_page_of_ours_may_do_without_the_token(
    browser: Browser, services: Services, headers: dict[str, Any]
) -> None:
    await begin(services)
    await browser.send("POST", "/login", form=ANNA)
    before = await user_of(browser)
    for path, form in {
        "/login": BOB,
        "/signup": {"username": "carl", "password": PASSWORD},
    }.items():
        refused = await browser.send("POST", path, form=form, **headers)
        assert (refused.code, "Set-Cookie" in refused.headers) == (403, False)
    assert await user_of(browser) == before


@pytest.mark.proves("A67", "3.5.1")
async def test_a_form_without_credentials_and_every_other_form_still_need_the_token(
    browser: Browser, services: Services
) -> None:
    await begin(services)
    await browser.send("POST", "/login", form=ANNA)
    for path in ("/login", "/signup", "/login/second-factor", "/login/passkey"):
        for form in ({}, {"username": "bob"}, {"password": "", "username": "bob"}):
            assert (await browser.send("POST", path, form=form)).code == 403
    for path in ("/account/password", "/account/sessions/end", "/reauthenticate", "/logout"):
        assert (await browser.send("POST", path, form=ANNA | {"scope": "all"})).code == 403
    assert (await user_of(browser))[0] == "anna"
