"""Where one goes on to after signing in: a path of ours, whatever the address says."""

from urllib.parse import quote

import pytest

from tests.support.clients.browser import Browser, form_of, sent_to
from tests.support.clients.client import PASSWORD

OURS = ["/", "/account", "/?a=b&c=//d", "/a%0d%0ab", "/a:b@c", "/" + "a" * 2047]
FOREIGN = [
    "//evil.example", "///evil.example", "////evil.example", "/\\evil.example", "\\/evil.example",
    "\\\\evil.example", "/a\\..\\evil", "/\t/evil.example", "\t//evil.example", "/\n/evil.example",
    "/\r\nSet-Cookie: a=b", "/a\x00b", "https://evil.example", "https:evil.example", "https:/evil",
    "HTTPS://evil.example", "javascript:alert(1)", "data:text/html,x", "evil.example", "@evil",
    "?a", "#a", "", "/a\u2028b", "/é", "/\u202e", "/a b",
    "http://[", "//[", "http://]", "/" + "a" * 2048,
]  # fmt: skip


@pytest.mark.gen_test
@pytest.mark.parametrize("given", OURS)
async def test_a_path_of_ours_is_gone_on_to(browser: Browser, given: str) -> None:
    for arrived in await arrivals(browser, given):
        assert arrived == given


@pytest.mark.gen_test
@pytest.mark.parametrize("given", FOREIGN)
@pytest.mark.proves("A75", "3.7.2")
async def test_anything_else_leads_to_the_account_page(browser: Browser, given: str) -> None:
    for arrived in await arrivals(browser, given):
        assert arrived == "/account"


async def arrivals(browser: Browser, given: str) -> list[str]:
    """Return where each of the ways to hand over an address leads to."""
    await browser.send("POST", "/api/signup", {"username": "anna", "password": PASSWORD})
    login = f"/login?next={quote(given, safe='')}"
    shown = form_of(await browser.send("GET", login), "/login").get("next", "/account")
    form = {"username": "anna", "password": PASSWORD, "next": given}
    signed_in = await browser.arrival(await browser.send("POST", "/login", form=form))
    visited = await browser.send("GET", login)
    token = form_of(await browser.send("GET", "/logout"), "/logout")["csrf_token"]
    proved = await browser.send("POST", "/reauthenticate", form=form | {"csrf_token": token})
    return [shown, signed_in, sent_to(visited), sent_to(proved)]
