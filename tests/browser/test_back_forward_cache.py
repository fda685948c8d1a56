"""The back button after an end. Pages are `no-store`, which keeps them out of Chromium's cache.

Not every browser heeds that for its back-forward cache. So one test looks that Chromium does, and
the others take the header away, to see a page come back to life with all that it had shown.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from server.core.reasons import Reason
from tests.support.browsers.chromium import chromium
from tests.support.browsers.seen import (
    COMING_BACK_MS,
    are_shown_out,
    ended,
    is_in_state,
    is_live,
    is_login_page,
    log_out,
)
from tests.support.servers.server import CurfewServer

pytestmark = pytest.mark.browser

NOTE_SHOWS = """
addEventListener('pageshow', ({ persisted }) => {
  window.persisted = persisted;
  const shown = document.querySelector('[data-private]');
  // When all listeners have run, before anything is painted.
  requestAnimationFrame(() => {
    document.documentElement.dataset.opacity = shown && getComputedStyle(shown).opacity;
  });
});
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """With the back-forward cache, which Playwright would switch off.

    A page whose header was taken away counts as from another network than its socket.
    """
    flags = "--disable-features=LocalNetworkAccessChecks"
    with chromium(flags, without=["--disable-back-forward-cache"]) as running:
        yield running


@pytest.fixture
def page(page: Page) -> Page:
    """A signed-in tab that notes whether and how it is shown again."""
    page.add_init_script(NOTE_SHOWS)
    return page


def without_no_store(route: Route) -> None:
    """What a browser makes of the page that keeps it all the same."""
    if not route.request.is_navigation_request():
        route.continue_()
        return
    answer = route.fetch()
    kept = {name: value for name, value in answer.headers.items() if name != "cache-control"}
    route.fulfill(response=answer, headers=kept)


def leave(page: Page) -> None:
    """Go on from the account page to a page that needs no session."""
    open_account(page)
    page.goto("/nowhere")


def open_account(page: Page) -> None:
    """As a page that may come back to life."""
    page.route("**/account", without_no_store)
    page.goto("/account")
    is_live(page)
    page.wait_for_load_state("networkidle")  # the list has been fetched again


def read_aloud(page: Page) -> str:
    """What a screen reader finds on the page."""
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    names = (node.get("name", {}) for node in tree["nodes"] if not node["ignored"])
    return "\n".join(str(name.get("value", "")) for name in names)


def go_back(page: Page, *, restored: bool) -> None:
    """By the back button; Playwright's own `go_back` waits for a load that need not come."""
    page.evaluate("() => setTimeout(() => history.back())")
    page.wait_for_url("**/account", wait_until="commit")
    page.wait_for_function("() => 'persisted' in window")
    assert page.evaluate("() => window.persisted") is restored


@pytest.mark.proves("A28")
def test_chromium_keeps_no_page_of_ours_and_asks_anew_after_a_logout(page: Page) -> None:
    page.goto("/account")
    is_live(page)
    page.goto("/nowhere")
    go_back(page, restored=False)
    reasons = page.evaluate(
        "() => performance.getEntriesByType('navigation')[0].notRestoredReasons.reasons"
    )
    assert "response-cache-control-no-store" in {each["reason"] for each in reasons}
    is_live(page)
    log_out(page)
    are_shown_out(page, reason=Reason.LOGOUT)
    page.go_back()
    is_login_page(page)


def test_a_page_that_comes_back_with_its_session_is_uncovered_and_live(page: Page) -> None:
    leave(page)
    go_back(page, restored=True)
    is_live(page)
    expect(page.locator("main [data-private]:not(#news)")).to_have_css("opacity", "1")
    expect(page.locator("#sessions li").first).to_be_visible()


@pytest.mark.proves("A28")
def test_a_page_that_comes_back_after_its_end_never_shows_what_it_had(
    server: CurfewServer, page: Page, username: str
) -> None:
    leave(page)
    assert server.command("sessions", "end", "--user", username).returncode == 0
    with ended(page, reason=Reason.ADMIN):
        go_back(page, restored=True)
        expect(page.locator("html")).to_have_attribute("data-opacity", "0")
    are_shown_out(page, reason=Reason.ADMIN)


def test_a_page_that_comes_back_where_nobody_can_be_asked_stays_covered_until_somebody_can(
    server: CurfewServer, page: Page, username: str
) -> None:
    open_account(page)
    page.locator("#current_password").press_sequentially("half of a password")
    page.keyboard.press("ArrowLeft")
    page.goto("/nowhere")
    assert server.stop() == 0
    go_back(page, restored=True)
    expect(page.locator("main [data-private]:not(#news)")).to_have_css("opacity", "0")
    is_in_state(page, "offline")
    expect(page.locator("main [data-private]:not(#news)")).to_have_css("opacity", "0")
    assert username not in read_aloud(page)
    for _ in range(10):
        page.keyboard.press("Tab")
        assert page.evaluate("() => document.activeElement.closest('[data-private]')") is None
    page.locator("body").evaluate("() => document.activeElement.blur()")
    server.start()
    is_live(page, COMING_BACK_MS)
    expect(page.locator("main [data-private]:not(#news)")).to_have_css("opacity", "1")
    expect(page.locator("html")).to_have_attribute("data-opacity", "0")
    assert username in read_aloud(page)
    expect(page.locator("#current_password")).to_be_focused()
    page.keyboard.type("Z")
    expect(page.locator("#current_password")).to_have_value("half of a passworZd")
