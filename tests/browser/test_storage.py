"""What a page leaves in the browser, and what elements of a page may not stand in for."""

import pytest
from playwright.sync_api import Page

from server.core.reasons import Reason
from tests.support.browsers.seen import are_shown_out, ended, is_live, log_out
from tests.support.running.processes import eventually
from tests.support.servers.server import CurfewServer

pytestmark = pytest.mark.browser

STORED = """async () => ({
  local: localStorage.length,
  session: sessionStorage.length,
  databases: (await indexedDB.databases()).length,
  caches: (await caches.keys()).length,
  cookies: document.cookie,
})"""
NOTHING = {"local": 0, "session": 0, "databases": 0, "caches": 0, "cookies": ""}
CACHE = "async () => (await caches.open('mine')).put('/mine', new Response('private'))"

CLOBBER = """
addEventListener('DOMContentLoaded', () => {
  for (const name of ['session', 'connection', 'location', 'fetch', 'WebSocket', 'root', 'text']) {
    const form = document.createElement('form');
    form.setAttribute('name', name);
    form.append(Object.assign(document.createElement('input'), { name: 'url' }));
    document.body.append(form);
  }
});
"""


@pytest.mark.proves("14.3.3", "3.3.4")
def test_nothing_is_kept_in_the_storage_that_scripts_can_read(page: Page) -> None:
    for path in ("/", "/account"):
        page.goto(path)
        is_live(page)
        assert page.evaluate(STORED) == NOTHING


@pytest.mark.proves("14.3.1")
def test_after_a_logout_nothing_is_left(page: Page) -> None:
    page.goto("/account")
    is_live(page)
    page.evaluate("() => localStorage.setItem('mine', 'of the application')")
    log_out(page)
    are_shown_out(page, reason=Reason.LOGOUT)
    assert page.evaluate(STORED) == NOTHING


@pytest.mark.proves("14.3.1")
def test_an_end_from_elsewhere_drops_the_caches_of_scripts(
    server: CurfewServer, page: Page, username: str
) -> None:
    page.goto("/account")
    is_live(page)
    page.evaluate(CACHE)
    # A tab of the same origin that stays where it is: Playwright has no time limit for an
    # evaluation in a page that is about to leave, and sometimes no answer.
    other = page.context.new_page()
    other.goto("/nothing-is-here")
    assert other.evaluate(STORED) == NOTHING | {"caches": 1}
    with ended(page, reason=Reason.ADMIN):
        assert server.command("sessions", "end", "--user", username).returncode == 0
        eventually(lambda: other.evaluate(STORED) == NOTHING)


@pytest.mark.proves("3.2.3")
def test_elements_with_the_names_of_our_variables_change_nothing(page: Page) -> None:
    page.add_init_script(CLOBBER)
    page.goto("/account")
    is_live(page)
    page.locator("#logout").click()
    are_shown_out(page, reason=Reason.LOGOUT)
