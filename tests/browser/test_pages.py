"""The pages: signing up, sharing notes, staying signed in, coming back."""

import pytest
from playwright.sync_api import Page, expect

from handlers.languages.texts import ENGLISH
from tests.support.browsers.chromium import Windows, fill_in
from tests.support.browsers.seen import has_sessions, has_tabs, is_live, is_login_page, sid_of
from tests.support.clients.client import PASSWORD

pytestmark = pytest.mark.browser


def test_signing_up_by_the_form_signs_in_and_shows_the_account(page: Page, username: str) -> None:
    expect(page.get_by_role("link", name=username)).to_be_visible()
    has_sessions(page, 1)
    expect(page.locator("#sessions li.current")).to_have_attribute("data-session", sid_of(page))
    has_tabs(page, sid_of(page), 1)


def test_the_form_says_what_is_wrong_and_keeps_the_name(windows: Windows, username: str) -> None:
    page = windows.open().new_page()
    page.goto("/signup")
    fill_in(page, username, "password password password")
    expect(page.get_by_role("alert")).to_contain_text(
        ENGLISH.text("problem.bad-password.easy_to_guess")
    )
    expect(page.locator("#username")).to_have_value(username)


def test_a_wrong_password_is_told_without_saying_what_was_wrong(
    page: Page, windows: Windows, username: str
) -> None:
    is_live(page)
    stranger = windows.open().new_page()
    stranger.goto("/login")
    told = ENGLISH.text("problem.wrong-credentials.text")
    for name in (username, "nobody-at-all"):
        fill_in(stranger, name, "not the right one, sorry")
        expect(stranger.get_by_role("alert")).to_have_text(told)


def test_a_page_asks_to_sign_in_and_then_goes_on(
    page: Page, windows: Windows, username: str
) -> None:
    page.close()
    visitor = windows.open().new_page()
    visitor.goto("/account")
    is_login_page(visitor)
    fill_in(visitor, username, PASSWORD)
    visitor.wait_for_url("**/account")


def test_a_note_appears_in_every_tab_and_device_of_the_same_person(
    page: Page, device: Page
) -> None:
    tab = page.context.new_page()
    for each in (page, tab, device):
        each.goto("/")
        is_live(each)
    page.locator("#note").fill("Lights out at ten <b>sharp</b>")
    page.locator("#note-form button").click()
    for each in (page, tab, device):
        expect(each.locator("#notes p")).to_have_text("Lights out at ten <b>sharp</b>")
    expect(page.locator("#notes li")).to_have_class("own")
    expect(tab.locator("#notes li")).not_to_have_class("own")


def test_the_list_counts_the_open_tabs_as_they_come_and_go(page: Page) -> None:
    has_tabs(page, sid_of(page), 1)
    tab = page.context.new_page()
    tab.goto("/")
    has_tabs(page, sid_of(page), 2)
    tab.close()
    has_tabs(page, sid_of(page), 1)
