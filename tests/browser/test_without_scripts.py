"""Everything but the live part works without JavaScript."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.chromium import Windows, sign_in, sign_up
from tests.support.client import PASSWORD

pytestmark = pytest.mark.browser


@pytest.fixture
def page(windows: Windows, username: str) -> Page:
    """A tab of somebody new, who has JavaScript off."""
    page = windows.open(java_script_enabled=False).new_page()
    sign_up(page, username, PASSWORD)
    return page


@pytest.fixture
def device(windows: Windows, page: Page, username: str) -> Page:
    """A tab in a second browser of the same person, JavaScript off as well."""
    assert page.url.endswith("/account")
    device = windows.open(java_script_enabled=False).new_page()
    sign_in(device, username, PASSWORD)
    return device


def test_the_account_page_lists_the_sessions_with_device_and_times(
    page: Page, device: Page
) -> None:
    page.reload()
    expect(page.locator("#sessions li")).to_have_count(2)
    for each in page.locator("#sessions li").all():
        expect(each).to_contain_text("127.0.0.1")
        expect(each).to_contain_text("just now")
        expect(each).to_contain_text("no open tab")
    assert device.url.endswith("/account")


def test_another_session_is_ended_by_its_button(page: Page, device: Page) -> None:
    page.reload()
    page.get_by_role("button", name="End the session on").click()
    expect(page.get_by_role("status").filter(has_text="1 session ended")).to_be_visible()
    expect(page.locator("#sessions li")).to_have_count(1)
    device.reload()
    expect(device.locator("#reason")).to_contain_text("ended from another one of your sessions")


def test_all_sessions_are_ended_by_one_button(page: Page, device: Page) -> None:
    page.get_by_role("button", name="End all, this one too").click()
    page.wait_for_url("**/login**")
    device.reload()
    expect(device.locator("#reason")).to_contain_text("ended from another one of your sessions")


def test_the_password_is_changed_and_the_others_are_signed_out(
    page: Page, device: Page, username: str
) -> None:
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password").fill(PASSWORD[::-1])
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("status").filter(has_text="Your password was changed")).to_be_visible()
    device.reload()
    expect(device.locator("#reason")).to_contain_text("Your password was changed")
    sign_in(device, username, PASSWORD[::-1])


def test_logging_out_needs_no_script_and_tells_so(page: Page) -> None:
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login?reason=logout")
    expect(page.locator("#reason")).to_have_text("You logged out.")


def test_the_part_that_needs_scripts_is_not_offered(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", name="Shared notes")).to_be_visible()
    expect(page.locator("#note-form")).to_be_hidden()
    expect(page.locator("noscript")).to_have_count(1)  # Chromium shows it to real people only
