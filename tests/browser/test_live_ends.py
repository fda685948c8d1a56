"""Ends of sessions, as a person sees them: at once, everywhere, with the reason."""

import pytest
from playwright.sync_api import Page, expect

from server.core.reasons import Reason
from tests.support.browsers.chromium import fill_in
from tests.support.browsers.seen import (
    are_shown_out,
    ended,
    is_live,
    is_login_page,
    is_signed_in,
    log_out,
    sid_of,
)
from tests.support.clients.client import PASSWORD
from tests.support.servers.server import CurfewServer

pytestmark = pytest.mark.browser


def test_a_logout_in_one_tab_is_told_in_the_other_and_leaves_the_other_browser_alone(
    page: Page, device: Page, username: str
) -> None:
    tab = page.context.new_page()
    tab.goto("/")
    device.goto("/")
    for each in (page, tab, device):
        is_live(each)

    with ended(tab, reason=Reason.LOGOUT):
        log_out(page)
    are_shown_out(page, tab, reason=Reason.LOGOUT)
    is_live(device)
    is_signed_in(device, username)
    tab.goto("/account")
    is_login_page(tab)


@pytest.mark.proves("14.3.1")
def test_an_end_from_the_command_line_reaches_every_tab(
    server: CurfewServer, page: Page, username: str
) -> None:
    tab = page.context.new_page()
    tab.goto("/")
    for each in (page, tab):
        is_live(each)
    with ended(page, tab, reason=Reason.ADMIN):
        assert server.command("sessions", "end", "--user", username).returncode == 0
    are_shown_out(page, tab, reason=Reason.ADMIN)
    fill_in(tab, username, PASSWORD)
    tab.wait_for_url("**/")  # where it was, not the account
    is_live(tab)


def test_going_back_after_a_logout_shows_nothing_private(page: Page, username: str) -> None:
    page.goto("/")
    is_live(page)
    log_out(page)
    are_shown_out(page, reason=Reason.LOGOUT)
    page.go_back()
    expect(page.locator("a[href='/login']").first).to_be_visible()
    expect(page.get_by_text(username)).to_have_count(0)
    expect(page.locator("[data-private]")).to_have_count(0)


def test_signing_in_again_in_this_browser_brings_the_other_tab_to_the_new_session(
    page: Page, username: str
) -> None:
    tab = page.context.new_page()
    tab.goto("/account")
    is_live(tab)
    former = sid_of(tab)
    token = page.locator("[name=csrf_token]").first.input_value()
    with ended(tab, reason=Reason.SUPERSEDED):
        again = page.request.post(
            "/api/login",
            data={"username": username, "password": PASSWORD},
            headers={"Origin": page.evaluate("location.origin"), "X-CSRF-Token": token},
        )
        assert again.ok
    tab.wait_for_url("**/account")  # the login page knows that somebody is signed in
    is_live(tab)
    assert sid_of(tab) != former
