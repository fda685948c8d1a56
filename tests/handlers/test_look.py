"""The language and the colours that a person has chosen, in their browser alone."""

from typing import Any
from urllib.parse import urlencode

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from handlers.languages.texts import LANGUAGES
from tests.support.clients.browser import Browser, form_of, page_of
from tests.support.clients.client import COOKIE

GERMAN = LANGUAGES["de"]


async def choose(browser: Browser, page: str, look: str = "", **choice: str) -> HTTPResponse:
    """Press a switch of a page, in a browser that has chosen a look already."""
    cookies: dict[str, Any] = {"Cookie": cookies_of(browser, look)}
    fields = form_of(await browser.send("GET", page, **cookies), "/look")
    return await post(browser, {**fields, **choice}, **cookies)


async def post(browser: Browser, form: dict[str, str], **headers: str) -> HTTPResponse:
    """Send the form; the cookie of its answer is not that of a session."""
    return await AsyncHTTPClient().fetch(
        f"{browser.url}/look",
        method="POST",
        body=urlencode(form),
        headers={"Origin": browser.url, **headers},
        follow_redirects=False,
        raise_error=False,
    )


def cookies_of(browser: Browser, look: str) -> str:
    """Return the header of a browser with a look."""
    return f"{COOKIE}={browser.cookie}; curfew_look={look}"


def look_in(answer: HTTPResponse) -> str:
    """Return what an answer keeps of the look, and nothing of anything else."""
    (cookie,) = answer.headers.get_list("Set-Cookie")
    name, _, value = cookie.partition(";")[0].partition("=")
    assert name == "curfew_look"
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    return value


@pytest.mark.gen_test
async def test_a_choice_holds_before_and_after_signing_in_and_leads_back(browser: Browser) -> None:
    chosen = await choose(browser, "/login?next=%2Fadmin", language="de")
    assert (chosen.code, chosen.headers["Location"]) == (303, "/login?next=%2Fadmin")
    assert look_in(chosen) == "de."
    look = look_in(await choose(browser, "/nowhere", look="de.", theme="dark"))
    await browser.sign_up("anna")
    for path in ("/", "/account", "/nowhere"):
        cookies = cookies_of(browser, look)
        page = page_of(await browser.send("GET", path, Accept_Language="en", Cookie=cookies))
        assert '<html lang="de" data-theme="dark">' in page
        assert GERMAN.text("look.theme") in page
    assert look_in(await choose(browser, "/account", look=look, theme="")) == "de."


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("page", "back"),
    [
        ("/nowhere?id=42&tab=files", "/nowhere?id=42&tab=files"),
        ("/nowhere?next=//evil.example&id=42&a=%ff", "/nowhere?id=42&a=%ff&next=%2Faccount"),
        ("/nowhere?password=hush&code=42&csrf_token=x", "/nowhere?code=42"),
        ("/login?reason=admin&next=/room?id=42", "/login?reason=admin&next=%2Froom%3Fid%3D42"),
    ],
)
async def test_the_page_comes_back_with_its_query(browser: Browser, page: str, back: str) -> None:
    assert (await choose(browser, page, language="de")).headers["Location"] == back


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "cookie",
    ["xx.", "de.blue; curfew_look=", '"><script>.darkest', "..", "%00.%00", ".light" * 900],
)
async def test_a_cookie_with_anything_else_is_as_good_as_none(
    browser: Browser, cookie: str
) -> None:
    answer = await browser.send("GET", "/login", Cookie=f"curfew_look={cookie}")
    assert answer.code == 200
    assert '<html lang="en">' in page_of(answer)


@pytest.mark.gen_test
async def test_no_other_site_can_choose_and_nobody_is_led_away(browser: Browser) -> None:
    refused = await browser.send(
        "POST", "/look", form={"theme": "dark"}, Origin="https://evil.example"
    )
    assert refused.code == 403
    assert "Set-Cookie" not in refused.headers
    for path in ("//evil.example", "https://evil.example/"):
        sent = await post(browser, {"theme": "dark", "next": path})
        assert sent.headers["Location"] == "/account"


@pytest.mark.gen_test
async def test_a_page_that_cannot_be_asked_for_again_has_no_switch(browser: Browser) -> None:
    refused = await browser.submit("/login", "/login", username="anna", password="wrong" * 4)
    assert 'action="/look"' not in page_of(refused)
