"""A tour through two-step sign-in, in a real browser; the password must stay recent meanwhile."""

from collections.abc import Iterator
from typing import Final

import pyotp
from playwright.sync_api import Page, expect

from tests.support.chromium import sign_up
from tests.support.client import PASSWORD

USERNAME: Final = "grace"


def two_steps(page: Page) -> Iterator[tuple[str, Page]]:
    """Setting an app up, its recovery codes, and signing in with it.

    Args:
        page: of a window that nobody is signed in with. It ends so, too.
    """
    sign_up(page, USERNAME, PASSWORD)
    page.goto("/account/security")
    yield "security", page
    page.locator("form[action='/account/security/totp'] button").click()
    secret = page.locator("#totp-secret").inner_text().replace(" ", "")
    yield "totp-setup", page
    page.locator("#code").fill(pyotp.TOTP(secret).now())
    page.locator("main form button").click()
    expect(page.locator("#recovery-codes li")).to_have_count(10)
    yield "recovery-codes", page
    page.locator("#logout").click()
    page.wait_for_url("**/login?reason=logout*")
    _fill_in_name_and_password(page)
    yield "second-factor", page
    page.locator("#code").fill("000000")
    page.locator("form[action='/login/second-factor'] button").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    yield "second-factor-refused", page


def _fill_in_name_and_password(page: Page) -> None:
    page.locator("#username").fill(USERNAME)
    page.locator("#password").fill(PASSWORD)
    page.locator("form[action='/login'] button").click()
    expect(page.locator("form[action='/login/second-factor']")).to_be_visible()
