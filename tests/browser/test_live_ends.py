"""Ends of sessions, as a person sees them: at once, everywhere, with the reason."""

import re

import pytest
from playwright.sync_api import Page, expect

from handlers.texts import sentence
from server.core.reasons import Reason
from tests.support.client import PASSWORD
from tests.support.server import CurfewServer

pytestmark = pytest.mark.browser


def is_live(page: Page) -> None:
    """The page has its live connection."""
    expect(page.locator("#connection")).to_have_text("Live")


def is_told(page: Page, reason: Reason) -> None:
    """The page says why the session ended, and shows nothing private any more."""
    expect(page.locator("#ended")).to_contain_text(sentence(reason))
    expect(page.locator("[data-private]")).to_have_count(0)
    expect(page.locator("#connection")).to_have_text("Signed out")


def is_shown_out(page: Page, reason: Reason) -> None:
    """The page has gone to the login page, which says why once more."""
    page.wait_for_url(f"**/login?reason={reason}")
    expect(page.locator("#reason")).to_have_text(sentence(reason))


def is_signed_in(page: Page, username: str) -> None:
    """The page is served to a session, and its connection works."""
    page.goto("/account")
    expect(page.get_by_role("navigation")).to_contain_text(username)
    is_live(page)


def test_a_logout_in_one_tab_is_told_in_the_other_and_leaves_the_other_browser_alone(
    page: Page, device: Page, username: str
) -> None:
    tab = page.context.new_page()
    tab.goto("/")
    device.goto("/")
    for each in (page, tab, device):
        is_live(each)

    page.get_by_role("button", name="Log out").click()

    is_told(tab, Reason.LOGOUT)
    is_shown_out(tab, Reason.LOGOUT)
    page.wait_for_url("**/login?reason=logout")
    expect(page.locator("#reason")).to_have_text("You logged out.")
    expect(device.locator("#connection")).to_have_text("Live")
    is_signed_in(device, username)
    tab.goto("/account")
    expect(tab).to_have_url(re.compile("/login"))


def test_another_device_is_ended_by_a_click_and_both_sides_see_it_at_once(
    page: Page, device: Page, username: str
) -> None:
    is_live(page)
    is_live(device)
    expect(page.locator("#sessions li")).to_have_count(2)  # the list has noticed the new device
    expect(page.locator("#session-count")).to_have_text("2 sessions")

    page.get_by_role("button", name="End the session on").click()

    is_told(device, Reason.TERMINATED)
    is_shown_out(device, Reason.TERMINATED)
    expect(page.get_by_role("status").filter(has_text="1 session ended")).to_be_visible()
    expect(page.locator("#sessions li")).to_have_count(1)
    is_signed_in(page, username)


def test_all_others_are_ended_by_one_click(page: Page, device: Page) -> None:
    is_live(device)
    expect(page.locator("#sessions li")).to_have_count(2)
    page.get_by_role("button", name="End all others").click()
    is_told(device, Reason.TERMINATED)
    is_shown_out(device, Reason.TERMINATED)
    expect(page.locator("#sessions li")).to_have_count(1)


def test_a_new_password_ends_the_other_devices_and_says_so(page: Page, device: Page) -> None:
    is_live(device)
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password").fill(PASSWORD[::-1])
    page.get_by_role("button", name="Change the password").click()
    is_told(device, Reason.CREDENTIAL_CHANGED)
    is_shown_out(device, Reason.CREDENTIAL_CHANGED)
    expect(page.get_by_role("status").filter(has_text="Your password was changed")).to_be_visible()
    is_live(page)


def test_an_end_from_the_command_line_reaches_every_tab(
    server: CurfewServer, page: Page, username: str
) -> None:
    tab = page.context.new_page()
    tab.goto("/")
    for each in (page, tab):
        is_live(each)
    assert server.command("sessions", "end", "--user", username).returncode == 0
    for each in (page, tab):
        is_told(each, Reason.ADMIN)
    for each in (page, tab):
        is_shown_out(each, Reason.ADMIN)


def test_going_back_after_a_logout_shows_nothing_private(page: Page, username: str) -> None:
    page.goto("/")
    is_live(page)
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login?reason=logout")
    page.go_back()
    expect(page.get_by_role("navigation", name="Sign in")).to_be_visible()
    expect(page.get_by_text(username)).to_have_count(0)
    expect(page.locator("[data-private]")).to_have_count(0)


def test_signing_in_again_in_this_browser_brings_the_other_tab_to_the_new_session(
    page: Page, username: str
) -> None:
    tab = page.context.new_page()
    tab.goto("/account")
    is_live(tab)
    former = tab.locator("body").get_attribute("data-session")
    again = page.request.post(
        "/api/login",
        data={"username": username, "password": PASSWORD},
        headers={
            "Origin": page.evaluate("location.origin"),
            "X-CSRF-Token": page.locator("[name=csrf_token]").first.input_value(),
        },
    )
    assert again.ok
    is_told(tab, Reason.SUPERSEDED)
    tab.wait_for_url("**/account")  # the login page knows that somebody is signed in
    is_live(tab)
    assert tab.locator("body").get_attribute("data-session") != former
