"""Remember me: the choice at sign-in, in the cookie, in lists, and at its deadlines."""

import re
from collections.abc import Callable

import pytest
from tornado.httpclient import HTTPResponse

from server.services import Services
from tests.support.clients.authenticator import Authenticator
from tests.support.clients.browser import Browser, form_of, json_of, page_of, sent_to
from tests.support.clients.client import PASSWORD
from tests.support.clients.factors import add_app, add_passkey

ADA = {"username": "ada", "password": PASSWORD}
DAY = 24 * 3600

pytestmark = pytest.mark.gen_test


def max_age(answer: HTTPResponse) -> int | None:
    """Return the Max-Age of the session cookie; None if it ends with the browser."""
    cookie = next(each for each in answer.headers.get_list("Set-Cookie") if "curfew=" in each)
    found = re.search(r"Max-Age=(\d+)", cookie)
    assert "Expires" not in cookie
    return int(found[1]) if found else None


async def log_in(browser: Browser, **choice: bool) -> HTTPResponse:
    answer = await browser.send("POST", "/api/login", ADA | choice)
    assert answer.code == 200, answer.body
    browser.csrf_token = json_of(answer)["csrf_token"]
    return answer


@pytest.mark.parametrize(
    ("variables", "left_out", "chosen", "refused"),
    [
        ({}, DAY // 2, 30 * DAY, None),
        ({"REMEMBER": "preselect", "REMEMBER_ABSOLUTE_TIMEOUT": "48h"}, 2 * DAY, 2 * DAY, None),
        ({"REMEMBER": "off"}, DAY // 2, DAY // 2, DAY // 2),
    ],
    ids=["offer", "preselect", "off"],
)
async def test_the_choice_decides_how_long_the_cookie_lives(
    browser: Browser, left_out: int, chosen: int, refused: int | None
) -> None:
    await browser.send("POST", "/api/signup", ADA)
    for choice, wanted in (({}, left_out), ({"remember": True}, chosen)):
        got = max_age(await log_in(browser, **choice))
        assert got is not None
        assert wanted - 5 <= got <= wanted
    got = max_age(await log_in(browser, remember=False))
    assert got == refused or (got and refused and refused - 5 <= got <= refused)


async def test_a_remembered_session_has_idle_and_absolute_timeouts_of_its_own(
    browser: Browser, new_browser: Callable[[], Browser], travel: Callable[[float], None]
) -> None:
    ordinary = new_browser()
    await browser.send("POST", "/api/signup", ADA)
    await log_in(ordinary)
    session = json_of(await log_in(browser, remember=True))["session"]
    assert session["remembered"] is True
    assert session["absolute_expires_at"] == pytest.approx(session["created_at"] + 30 * DAY)
    assert session["idle_expires_at"] == pytest.approx(session["last_active_at"] + 7 * DAY)

    travel(6 * DAY)
    ended = await ordinary.send("GET", "/api/session")
    assert json_of(ended)["reason"] == "absolute_timeout"
    for _ in range(4):  # day 6, 12, 18 and 24
        assert (await browser.send("GET", "/api/session")).code == 200
        travel(6 * DAY)
    ended = await browser.send("GET", "/api/session")
    assert (ended.code, json_of(ended)["reason"]) == (401, "absolute_timeout")


async def test_a_remembered_session_that_nobody_uses_ends(
    browser: Browser, travel: Callable[[float], None]
) -> None:
    await browser.send("POST", "/api/signup", ADA)
    await log_in(browser, remember=True)
    travel(7 * DAY)
    ended = await browser.send("GET", "/api/session")
    assert (ended.code, json_of(ended)["reason"]) == (401, "idle_timeout")


@pytest.mark.parametrize("remember", [True, False])
async def test_rotation_and_a_new_proof_keep_the_choice(
    browser: Browser, travel: Callable[[float], None], *, remember: bool
) -> None:
    await browser.send("POST", "/api/signup", ADA)
    await log_in(browser, remember=remember)
    left = 30 * DAY if remember else None

    rotated = await browser.send("POST", "/api/session/rotate")
    proved = await browser.send("POST", "/api/session/reauthenticate", {"password": PASSWORD})
    travel(20 * 60)
    due = await browser.send("GET", "/api/session")
    for answer in (rotated, proved, due):
        assert answer.code == 200
        age = max_age(answer)
        assert age == left or (age and left and left - 25 * 60 < age <= left)


async def test_the_lists_show_who_is_remembered(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    other = new_browser()
    await browser.send("POST", "/api/signup", ADA)
    await log_in(browser, remember=True)
    await log_in(other, remember=False)
    listed = json_of(await browser.send("GET", "/api/sessions"))["sessions"]
    assert {each["current"]: each.get("remembered") for each in listed} == {True: True, False: None}
    page = page_of(await browser.send("GET", "/account"))
    assert page.count("stays signed in") == 1


async def test_the_step_after_the_password_keeps_the_choice(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    await browser.sign_up("ada")
    _, codes = await add_app(browser, services.clock.now)
    for code, choice in zip(codes[:2], (True, False), strict=True):
        fresh = new_browser()
        asked = await fresh.send("POST", "/api/login", ADA | {"remember": choice})
        challenge = json_of(asked)["challenge"]
        done = await fresh.send(
            "POST", "/api/login/second-factor", {"challenge": challenge, "code": code}
        )
        assert done.code == 200, done.body
        assert (max_age(done) or 0) > 29 * DAY if choice else max_age(done) is None


async def test_a_passkey_alone_brings_the_choice_and_after_the_password_keeps_it(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    await browser.sign_up("ada")
    device = Authenticator(browser.url)
    await add_passkey(browser, device)

    async def by_passkey(fresh: Browser, asked: dict[str, str], **choice: bool) -> int | None:
        options = json_of(await fresh.send("POST", "/api/login/passkey/options", asked))
        done = await fresh.send(
            "POST", "/api/login/passkey", {"credential": device.use(options), **choice}
        )
        assert done.code == 200, done.body
        return max_age(done)

    assert (await by_passkey(new_browser(), {}, remember=True) or 0) > 29 * DAY
    assert await by_passkey(new_browser(), {}, remember=False) is None
    assert await by_passkey(new_browser(), {}) == pytest.approx(DAY // 2, abs=5)
    fresh = new_browser()
    asked = json_of(await fresh.send("POST", "/api/login", ADA | {"remember": True}))
    kept = await by_passkey(fresh, {"challenge": asked["challenge"]}, remember=False)
    assert (kept or 0) > 29 * DAY


@pytest.mark.parametrize("path", ["/login", "/signup"])
@pytest.mark.parametrize("ticked", [True, False])
async def test_the_forms_have_a_box_for_it(browser: Browser, path: str, *, ticked: bool) -> None:
    if path == "/login":
        await browser.send("POST", "/api/signup", ADA)
    form = form_of(await browser.send("GET", path), path)
    assert "remember_offered" in form
    choice = {"remember": "on"} if ticked else {}
    answer = await browser.send("POST", path, form=ADA | {"remember_offered": "yes"} | choice)
    assert sent_to(answer).startswith("/login?")
    assert (max_age(answer) or 0) > 29 * DAY if ticked else max_age(answer) is None


async def test_a_form_that_is_shown_again_keeps_what_was_chosen(browser: Browser) -> None:
    wrong = {"username": "ada", "password": "x", "remember_offered": "yes"}
    assert " checked" not in page_of(await browser.send("POST", "/login", form=wrong))
    again = await browser.send("POST", "/login", form=wrong | {"remember": "on"})
    assert " checked" in page_of(again)


@pytest.mark.parametrize("variables", [{"REMEMBER": "preselect"}])
async def test_the_box_is_ticked_at_first_where_the_setting_says_so(browser: Browser) -> None:
    assert " checked" in page_of(await browser.send("GET", "/login"))


@pytest.mark.parametrize("variables", [{"REMEMBER": "off"}])
async def test_there_is_no_box_where_nobody_is_remembered(browser: Browser) -> None:
    assert "remember" not in page_of(await browser.send("GET", "/login"))
