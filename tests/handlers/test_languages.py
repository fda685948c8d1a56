"""Pages speak the browser's language; programs are always answered in English."""

import json
import re
from typing import Any

import pytest
from tornado.httpclient import HTTPResponse

from handlers.languages.texts import ENGLISH, LANGUAGES
from tests.support.clients.browser import Browser, form_of, json_of, page_of

GERMAN = LANGUAGES["de"]


def texts_of(answer: HTTPResponse) -> Any:
    """What the page gives to its scripts."""
    pattern = '<script type="application/json" id="texts">(.*?)</script>'
    (block,) = re.findall(pattern, page_of(answer), re.DOTALL)
    assert "<" not in block
    return json.loads(block)


@pytest.mark.gen_test
async def test_a_page_is_in_the_language_that_the_browser_asks_for(browser: Browser) -> None:
    await browser.sign_up("anna")
    for accepted, language in (("de-AT,en;q=0.5", GERMAN), ("fr", ENGLISH), (None, ENGLISH)):
        answer = await browser.send("GET", "/account", Accept_Language=accepted)
        page = page_of(answer)
        assert f'<html lang="{language.code}">' in page
        assert language.text("sessions.heading") in page
        assert texts_of(answer)["ago.minutes"] == language.texts["ago.minutes"]
        assert answer.headers["Content-Language"] == language.code
        assert answer.headers["Vary"] == "Cookie, Accept-Language"


@pytest.mark.gen_test
async def test_errors_and_redirects_are_in_that_language_too(browser: Browser) -> None:
    missing = await browser.send("GET", "/nowhere", Accept_Language="de")
    assert GERMAN.text("problem.not-found.text") in page_of(missing)
    assert missing.headers["Vary"] == "Cookie, Accept-Language"
    refused = await browser.send(
        "POST", "/login", form={"username": "anna", "password": "x"}, Accept_Language="de"
    )
    assert GERMAN.text("problem.wrong-credentials.text") in page_of(refused)
    assert form_of(refused, "/login")["username"] == "anna"
    short = await browser.send(
        "POST", "/signup", form={"username": "anna", "password": "x"}, Accept_Language="de"
    )
    assert "mindestens 15 Zeichen" in page_of(short)
    told = await browser.send("GET", "/login?reason=idle_timeout", Accept_Language="de")
    assert GERMAN.text("reason.idle_timeout") in page_of(told)


@pytest.mark.gen_test
async def test_tornados_own_errors_have_words_of_ours(browser: Browser) -> None:
    answer = await browser.send("GET", "/login?reason=%ff", Accept_Language="de")
    assert answer.code == 400
    assert GERMAN.text("problem.bad-request.text") in page_of(answer)
    answer = await browser.send("DELETE", "/login", Accept_Language="de")
    assert answer.code == 405
    assert GERMAN.text("problem.method-not-allowed.text") in page_of(answer)


@pytest.mark.gen_test
async def test_programs_are_answered_in_english(browser: Browser) -> None:
    answer = await browser.send("GET", "/api/session", Accept_Language="de")
    assert json_of(answer)["detail"] == "Sign in to go on."
    assert answer.headers["Vary"] == "Cookie"
    assert "Content-Language" not in answer.headers


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/", "/account", "/logout", "/reauthenticate"])
async def test_every_page_can_be_made_in_every_language(browser: Browser, path: str) -> None:
    await browser.sign_up("anna")
    for code in LANGUAGES:
        answer = await browser.send("GET", path, Accept_Language=code)
        assert answer.code == 200
        assert f'<html lang="{code}">' in page_of(answer)
        assert "connection.live" in texts_of(answer)


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({}, "30 Minuten"),
        ({"IDLE_TIMEOUT": "1h"}, "1 Stunde"),
        ({"IDLE_TIMEOUT": "90s"}, "90 Sekunden"),
    ],
)
async def test_who_signs_in_is_told_how_long_that_lasts_without_doing_anything(
    browser: Browser, told: str
) -> None:
    """As WCAG 2.2 SC 2.2.6 asks: before anything can be lost by it."""
    page = page_of(await browser.send("GET", "/login", Accept_Language="de"))
    assert GERMAN.text("login.lasts", duration=told) in page
