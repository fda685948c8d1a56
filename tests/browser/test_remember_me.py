"""Remember me in Chromium: what it keeps when it is closed, by password and by passkey."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browsers.chromium import Windows, fill_in, sign_up
from tests.support.browsers.virtual_authenticator import VirtualAuthenticator
from tests.support.clients.client import COOKIE, PASSWORD
from tests.support.servers.server import CurfewServer

pytestmark = pytest.mark.browser

BOX = "Stay signed in on this device"
ENDS_WITH_BROWSER = -1
MONTH = 30 * 24 * 3600


def seconds_left(page: Page) -> float:
    """Return how long Chromium keeps the session cookie; -1 until it is closed."""
    (cookie,) = [each for each in page.context.cookies() if each["name"] == COOKIE]
    if cookie["expires"] == ENDS_WITH_BROWSER:
        return ENDS_WITH_BROWSER
    return cookie["expires"] - float(page.evaluate("Date.now() / 1000"))


def log_in(page: Page, username: str, *, remember: bool) -> None:
    page.goto("/login")
    expect(page.get_by_label(BOX)).not_to_be_checked()
    page.get_by_label(BOX).set_checked(remember)
    fill_in(page, username, PASSWORD)
    page.wait_for_url("**/account")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_the_box_decides_whether_the_cookie_outlives_the_browser(
    windows: Windows, page: Page, username: str, *, scripts: bool
) -> None:
    assert page.url.endswith("/account")
    fresh = windows.open(java_script_enabled=scripts).new_page()
    log_in(fresh, username, remember=False)
    (cookie,) = [each for each in fresh.context.cookies() if each["name"] == COOKIE]
    assert cookie["expires"] == ENDS_WITH_BROWSER
    expect(fresh.locator("#sessions")).not_to_contain_text("stays signed in")

    again = windows.open(java_script_enabled=scripts).new_page()
    log_in(again, username, remember=True)
    (cookie,) = [each for each in again.context.cookies() if each["name"] == COOKIE]
    assert cookie["expires"] > fresh_now(page) + MONTH - 60
    expect(again.locator("#sessions li.current")).to_contain_text("stays signed in")


def fresh_now(page: Page) -> float:
    """Return the browser's time in Unix seconds."""
    return float(page.evaluate("Date.now() / 1000"))


@pytest.mark.parametrize("remember", [True, False])
def test_the_box_counts_for_a_passkey_too(
    server: CurfewServer, browser: Browser, username: str, *, remember: bool
) -> None:
    windows = Windows(browser, server.url.replace("127.0.0.1", "localhost"))
    page = windows.open().new_page()
    sign_up(page, username, PASSWORD)
    page.goto("/account/security")
    VirtualAuthenticator(page)
    page.get_by_label("Name of the new passkey").fill("laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("#passkeys li")).to_contain_text("laptop")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login?reason=logout*")

    page.get_by_label(BOX).set_checked(remember)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/account")
    left = seconds_left(page)
    assert left > MONTH - 60 if remember else left == ENDS_WITH_BROWSER
    windows.close()
    assert windows.faults == []
