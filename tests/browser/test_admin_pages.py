"""The pages of administrators over two processes: by keys, live, and with the receipt of an end."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsers.chromium import Windows, sign_in
from tests.support.browsers.seen import is_live, log_out
from tests.support.clients.client import PASSWORD
from tests.support.running.processes import eventually
from tests.support.servers.server import CurfewServer
from tests.support.servers.workers import workers_of

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """Two processes, and an administrator."""
    with CurfewServer(processes="2") as running:
        eventually(lambda: len(workers_of(running)) == 2)
        running.command("user", "add", "root", "--admin", given=f"{PASSWORD}\n")
        yield running


@pytest.fixture
def admin(windows: Windows) -> Page:
    """A tab of the administrator."""
    page = windows.open().new_page()
    sign_in(page, "root", PASSWORD)
    is_live(page)
    return page


def go_to(page: Page, selector: str) -> None:
    """Tab on until it has the focus."""
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the focus never comes to {selector}")


def test_a_person_is_found_and_signed_out_with_keys_alone(
    page: Page, admin: Page, username: str
) -> None:
    is_live(page)
    admin.goto("/admin")
    is_live(admin)
    go_to(admin, "#q")
    admin.keyboard.type(username)
    admin.keyboard.press("Enter")
    expect(admin.locator("#people li")).to_have_count(1)
    go_to(admin, "#people a")
    admin.keyboard.press("Enter")
    expect(admin.get_by_role("heading", level=1)).to_have_text(username)
    go_to(admin, "button.end[id^='end-0']")
    admin.keyboard.press("Enter")
    notice = admin.locator("main .notice", has_text="1 session ended")
    expect(notice).to_be_focused()
    page.wait_for_url("**/login?reason=admin*")


def test_ends_are_seen_as_they_happen_and_the_focus_stays(
    page: Page, device: Page, admin: Page, username: str
) -> None:
    admin.goto("/admin/live")
    is_live(admin)
    expect(admin.locator("#nodes li")).to_have_count(2)
    of_ada = admin.locator("#ends li", has_text=username)
    expect(of_ada).to_have_count(0)
    log_out(device)
    expect(of_ada).to_have_count(1)
    link = of_ada.get_by_role("link")
    link.focus()
    log_out(page)
    expect(of_ada).to_have_count(2)
    expect(of_ada.nth(1).get_by_role("link")).to_be_focused()
    expect(of_ada.first).to_contain_text("Logged out")
    expect(of_ada.first).to_contain_text("done by 1 more node within")


def test_a_page_that_may_not_look_any_more_says_so(admin: Page) -> None:
    admin.goto("/admin/live")
    is_live(admin)
    expect(admin.locator("#stale")).to_be_hidden()
    sid = admin.locator("body").get_attribute("data-session")
    asked = f"<body data-session='{sid}'>for the password"  # as after five minutes
    admin.route("**/admin/live", lambda route: route.fulfill(content_type="text/html", body=asked))
    expect(admin.locator("#stale")).to_be_visible()
