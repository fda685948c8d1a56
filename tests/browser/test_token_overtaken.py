"""A password is proved in one tab while the answer with the new cookie is still on its way."""

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.browsers.seen import is_in_state, is_live
from tests.support.clients.client import PASSWORD

pytestmark = pytest.mark.browser

PROVE = """
async (password) => {
  const { csrf_token } = await (await fetch('/api/session')).json();
  const answer = await fetch('/api/session/reauthenticate', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': csrf_token },
    body: JSON.stringify({ password }),
  });
  return answer.status;
}
"""
ASK = "() => dispatchEvent(new Event('online'))"


def keep(jar: BrowserContext, cookies: Any) -> None:
    """Have the browser keep what it kept at another moment."""
    jar.clear_cookies()
    jar.add_cookies(cookies)


def test_no_tab_takes_it_for_the_end(page: Page) -> None:
    tab, jar = page.context.new_page(), page.context
    tab.goto("/account")
    for each in (page, tab):
        is_live(each)
    before = jar.cookies()
    assert page.evaluate(PROVE, PASSWORD) == 200
    after = jar.cookies()
    assert before != after

    keep(jar, before)
    with tab.expect_response("**/api/session") as asked:
        tab.evaluate(ASK)
    assert (asked.value.status, asked.value.json()["type"]) == (401, "/problems/token-overtaken")
    is_in_state(tab, "live")
    expect(tab.locator("#ended")).to_be_empty()
    expect(tab.locator("html")).not_to_have_attribute("data-unverified", "")

    keep(jar, after)
    with tab.expect_response("**/api/session") as asked:
        tab.evaluate(ASK)
    assert asked.value.status == 200
    for each in (page, tab):
        is_live(each)
        expect(each.locator("#sessions li")).to_have_count(1)
