"""The pages, used with keys alone: where the focus is, that it is seen, and where it goes."""

from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browsers.chromium import Windows, sign_up
from tests.support.browsers.seen import has_sessions, is_live
from tests.support.clients.client import PASSWORD
from tests.support.servers.server import CurfewServer

pytestmark = pytest.mark.browser

FOCUS = """() => {
  const focused = document.activeElement;
  const { outlineStyle, outlineWidth } = getComputedStyle(focused);
  return { id: focused.id, text: focused.textContent.trim(), tag: focused.tagName,
           shown: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 };
}"""


def focus_after(page: Page, key: str) -> dict[str, str | bool]:
    """Press a key; what has the focus then, which must be seen."""
    page.keyboard.press(key)
    focus: dict[str, str | bool] = page.evaluate(FOCUS)
    assert focus["shown"], focus
    return focus


def go_to(page: Page, selector: str) -> None:
    """Tab on until it has the focus, which is seen all the way."""
    for _ in range(30):
        focus_after(page, "Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the focus never comes to {selector}")


def test_the_account_is_used_with_keys_alone(page: Page, device: Page) -> None:
    is_live(page)
    is_live(device)
    has_sessions(page, 2)
    page.reload()
    is_live(page)
    assert focus_after(page, "Tab")["text"] == "Skip to the content"
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    assert str(focus_after(page, "Tab")["id"]).startswith("end-")
    page.keyboard.press("Enter")
    notice = page.locator("main .notice", has_text="1 session ended")
    expect(notice).to_be_focused()  # it is read out, and the way goes on from there
    assert focus_after(page, "Tab")["id"] == "end-all"
    ids = [focus_after(page, "Tab")["id"] for _ in range(4)]
    assert ids == ["current_password", "new_password", "end_other_sessions", ""]


def test_what_is_operated_keeps_the_focus_while_the_list_changes(page: Page, device: Page) -> None:
    end = page.get_by_role("button", name="End the session on")
    end.focus()
    tab = device.context.new_page()
    tab.goto("/")
    expect(page.locator("#sessions")).to_contain_text("2 open tabs")
    expect(end).to_be_focused()
    device.get_by_role("button", name="Log out").click()
    has_sessions(page, 1)
    expect(page.locator("#sessions")).to_be_focused()  # not lost with what is gone


def test_two_step_sign_in_is_set_up_and_used_with_keys_alone(page: Page, username: str) -> None:
    page.goto("/account/security")
    is_live(page)
    go_to(page, "form[action='/account/security/totp'] button")
    page.keyboard.press("Enter")
    secret = page.locator("#totp-secret").inner_text().replace(" ", "")
    go_to(page, "#code")
    page.keyboard.type(pyotp.TOTP(secret).now())
    page.keyboard.press("Enter")
    expect(page.locator("main .notice")).to_be_focused()
    expect(page.locator("#copy-codes")).to_be_visible()  # which its script shows
    code = page.locator("#recovery-codes li").first.inner_text()
    kept = [focus_after(page, "Tab")["id"] for _ in range(4)]
    assert kept == ["copy-codes", "download-codes", "print-codes", "kept-codes"]
    passed = [focus_after(page, "Tab") for _ in range(5)]
    assert [each["id"] for each in passed] == ["totp_end_others", "", "recovery_end_others", "", ""]
    assert [each["tag"] for each in passed] == ["INPUT", "BUTTON", "INPUT", "BUTTON", "A"]

    page.locator("#logout").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/login?reason=logout*")
    go_to(page, "#username")
    page.keyboard.type(username)
    assert focus_after(page, "Tab")["id"] == "password"
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#code")).to_be_focused()
    page.keyboard.type("not a code")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").first).to_be_visible()
    expect(page.locator("#code")).to_be_focused()
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    page.wait_for_url("**/account")


@pytest.fixture
def short_lived(browser: Browser, username: str) -> Iterator[Page]:
    """A signed-in tab whose session soon reaches its longest time, which nothing moves."""
    with CurfewServer(absolute_timeout="20s") as server:
        windows = Windows(browser, server.url)
        page = windows.open().new_page()
        sign_up(page, username, PASSWORD)
        yield page
        windows.close()
        assert windows.faults == []


def test_the_warning_takes_the_focus_and_gives_it_back(short_lived: Page) -> None:
    page = short_lived
    is_live(page)
    page.locator("#new_password").focus()
    expect(page.get_by_role("dialog")).to_be_visible(timeout=20_000)
    close = page.get_by_role("dialog").get_by_role("button", name="Close")
    expect(close).to_be_focused()  # there is no way to stay
    inside = "() => document.querySelector('#expiring').contains(document.activeElement)"
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(f"{inside} || document.activeElement === document.body")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("#new_password")).to_be_focused()
