"""A sign-in by the page whose cookie does not come back is noticed, once, and explained."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.clients.browser import Browser, cookie_of, page_of, sent_to
from tests.support.clients.client import COOKIE, PASSWORD

EXPLAINED = 'id="no-cookie"'
CREDENTIALS = {"username": "anna", "password": PASSWORD}


@pytest.mark.gen_test
@pytest.mark.parametrize("form", ["/signup", "/login"])
async def test_who_keeps_no_cookie_is_told_what_to_do(browser: Browser, form: str) -> None:
    if form == "/login":
        await browser.send("POST", "/api/signup", CREDENTIALS)
    signed_in = await browser.send("POST", form, form=CREDENTIALS, keep=False)
    assert cookie_of(signed_in)
    told = await browser.send("GET", sent_to(signed_in))
    assert told.code == 200  # and no redirect: nothing goes in circles
    assert EXPLAINED in page_of(told)
    assert "CURFEW_TLS_CERT=self make run" in page_of(told)
    assert browser.url.replace("http://", "https://") in page_of(told)


@pytest.mark.gen_test
@pytest.mark.proves("14.2.1")
async def test_the_way_over_the_question_says_nothing_but_where_one_is_going(
    browser: Browser,
) -> None:
    await browser.send("POST", "/api/signup", CREDENTIALS)
    signed_in = await browser.send("POST", "/login", form=CREDENTIALS | {"next": "/?a=b&c"})
    address = urlsplit(sent_to(signed_in))
    assert address.path == "/login"
    assert parse_qs(address.query) == {"next": ["/?a=b&c"], "signed-in": ["1"]}
    assert await browser.arrival(signed_in) == "/?a=b&c"


@pytest.mark.gen_test
async def test_who_never_signed_in_is_shown_nothing_else_than_everybody(browser: Browser) -> None:
    for address in ("/login", "/login?next=/account&reason=logout"):
        assert EXPLAINED not in page_of(await browser.send("GET", address))
    told = await browser.send("GET", "/login?signed-in=1")
    assert EXPLAINED in page_of(told)
    assert "Set-Cookie" not in told.headers


@pytest.mark.gen_test
async def test_a_cookie_that_came_back_and_no_longer_opens_anything_is_another_story(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    other = new_browser()
    await browser.send("POST", "/api/signup", CREDENTIALS)
    signed_in = await browser.send("POST", "/login", form=CREDENTIALS)
    await other.sign_in("anna")
    await other.send("DELETE", "/api/sessions?scope=others")
    for cookies in (f"{COOKIE}={browser.cookie}", f"{COOKIE}=forged", f"{COOKIE}=a; {COOKIE}=b"):
        shown = await browser.send("GET", sent_to(signed_in), Cookie=cookies)
        assert shown.code == 200
        assert EXPLAINED not in page_of(shown)
        assert 'action="/login"' in page_of(shown)


@pytest.mark.gen_test
@pytest.mark.parametrize("variables", [{"ORIGINS": "https://app.example"}])
async def test_under_https_the_advice_is_to_allow_cookies(browser: Browser) -> None:
    origin = "https://app.example"
    signed_in = await browser.send(
        "POST", "/signup", form=CREDENTIALS, keep=False, Host="app.example", Origin=origin
    )
    told = page_of(await browser.send("GET", sent_to(signed_in), Host="app.example"))
    assert EXPLAINED in told
    assert "CURFEW_TLS_CERT" not in told
