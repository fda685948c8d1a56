"""Deleting one's own account in Chromium: asked for once more, told everywhere, and gone."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsers.chromium import Windows, fill_in
from tests.support.browsers.seen import is_live
from tests.support.clients.client import PASSWORD

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_an_account_is_deleted_after_the_password_and_every_tab_is_told(
    windows: Windows, page: Page, device: Page, username: str, *, scripts: bool
) -> None:
    for each in (page, device):
        is_live(each)
    acting = windows.open(java_script_enabled=scripts).new_page()
    acting.goto("/login")
    fill_in(acting, username, PASSWORD)
    acting.wait_for_url("**/account")
    acting.get_by_role("button", name="Delete the account").click()
    expect(acting.get_by_text(f"delete the account {username} for good")).to_be_visible()
    acting.get_by_label("Password").fill("not the right one, sorry")
    acting.get_by_role("button", name="Continue").click()
    expect(acting.get_by_role("alert")).to_have_text("The password is wrong.")
    is_live(device)

    acting.get_by_label("Password").fill(PASSWORD)
    acting.get_by_role("button", name="Continue").click()
    acting.wait_for_url("**/login?reason=account_deleted")
    expect(acting.locator("#reason")).to_have_text("Your account was deleted.")
    for each in (page, device):
        expect(each.locator("#ended")).to_contain_text("Your account was deleted.")
    fill_in(acting, username, PASSWORD)
    expect(acting.get_by_role("alert")).to_have_text("The user name or the password is wrong.")


def test_a_name_of_another_script_is_shown_whole_and_apart(windows: Windows) -> None:
    page = windows.open().new_page()
    page.goto("/signup")
    fill_in(page, "אבגד", PASSWORD)
    page.wait_for_url("**/account")
    expect(page.locator("nav bdi")).to_have_text("אבגד")
    is_live(page)
