"""Where a person goes on from an error, from a refusal, and without the password."""

import re
from collections.abc import Callable

import pytest

from handlers.languages.texts import ENGLISH
from tests.support.clients.browser import Browser, page_of
from tests.support.clients.client import PASSWORD


@pytest.mark.gen_test
async def test_an_error_has_a_way_home_and_to_the_account(browser: Browser) -> None:
    for path in ("/nowhere", "/login?reason=%ff"):
        page = page_of(await browser.send("GET", path))
        header = page[page.index("<header") : page.index("</header>")]
        assert {'<a href="/">', '<a href="/account">'} <= set(
            re.findall(r'<a href="[^"]+">', header)
        )


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/login", "/signup"])
async def test_a_refusal_keeps_the_name_and_says_that_it_keeps_no_password(
    browser: Browser, path: str
) -> None:
    assert "password-again" not in page_of(await browser.send("GET", path))
    page = page_of(await browser.submit(path, path, username="an na", password="wrong" * 4))
    assert 'value="an na"' in page
    assert ENGLISH.text("credentials.again") in page
    assert "wrongwrong" not in page


@pytest.mark.gen_test
async def test_a_refused_change_of_the_password_keeps_the_choice(browser: Browser) -> None:
    await browser.sign_up("anna")
    ticked = re.compile(r'id="end_other_sessions"[^>]* checked')
    assert ticked.search(page_of(await browser.send("GET", "/account")))
    fields = {"current_password": PASSWORD, "new_password": "short", "end_other_sessions": ""}
    page = page_of(await browser.submit("/account", "/account/password", **fields))
    assert not ticked.search(page)
    assert ENGLISH.text("credentials.again") in page


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({}, ENGLISH.text("login.forgotten_help")),
        ({"PASSWORD_HELP": "/help?a=1&b=2"}, 'href="/help?a=1&amp;b=2"'),
        ({"PASSWORD_HELP": "mailto:help@example.org"}, 'href="mailto:help@example.org"'),
    ],
)
async def test_who_forgot_a_password_is_told_where_help_is(browser: Browser, told: str) -> None:
    page = page_of(await browser.send("GET", "/login"))
    assert told in page[page.index('id="forgotten"') :]


@pytest.mark.gen_test
async def test_an_end_is_first_told_in_plain_words(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    second = new_browser()
    await browser.sign_up("anna")
    await second.sign_in("anna")
    done = page_of(await browser.submit("/account", "/account/sessions/end", scope="others"))
    plain = ENGLISH.text("receipt.done", count=1)
    assert done.index(plain) < done.index("1 session ended, confirmed by 1 server in")
