"""Everything but the live part works without JavaScript."""

import pytest
from playwright.sync_api import Page, expect

from handlers.languages.texts import ENGLISH
from server.core.reasons import Reason
from tests.support.browsers.chromium import Windows, sign_in, sign_up
from tests.support.browsers.seen import (
    are_shown_out,
    change_password,
    has_sessions,
    has_tabs,
    is_login_page,
    log_out,
    sid_of,
)
from tests.support.clients.client import PASSWORD

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


def told_in_the_next_page(page: Page, reason: Reason) -> None:
    """Whatever is asked for next, the login page answers, with the reason."""
    page.reload()
    expect(page.locator("#reason")).to_have_attribute("data-reason", reason)
    is_login_page(page)


def test_the_account_page_lists_the_sessions_with_device_and_times(
    page: Page, device: Page
) -> None:
    page.reload()
    has_sessions(page, 2)
    for each in page.locator("#sessions li").all():
        expect(each).to_contain_text("127.0.0.1")
        expect(each).to_contain_text(ENGLISH.text("ago.now"))
    for session in (page, device):
        has_tabs(page, sid_of(session), 0)


def test_another_session_is_ended_by_its_button(page: Page, device: Page) -> None:
    page.reload()
    page.locator(f"#end-{sid_of(device)}").click()
    has_sessions(page, 1)
    told_in_the_next_page(device, Reason.TERMINATED)


def test_all_sessions_are_ended_by_one_button(page: Page, device: Page) -> None:
    page.locator("#end-all").click()
    is_login_page(page)
    told_in_the_next_page(device, Reason.TERMINATED)


def test_the_password_is_changed_and_the_others_are_signed_out(
    page: Page, device: Page, username: str
) -> None:
    change_password(page, PASSWORD, PASSWORD[::-1])
    has_sessions(page, 1)
    told_in_the_next_page(device, Reason.CREDENTIAL_CHANGED)
    sign_in(device, username, PASSWORD[::-1])


def test_logging_out_needs_no_script_and_tells_so(page: Page) -> None:
    log_out(page)
    are_shown_out(page, reason=Reason.LOGOUT)


def test_the_part_that_needs_scripts_is_not_offered(page: Page) -> None:
    page.goto("/")
    expect(page.locator("#notes-title")).to_be_visible()
    expect(page.locator("#note-form")).to_be_hidden()
    expect(page.locator("noscript")).to_have_count(1)  # Chromium shows it to real people only
