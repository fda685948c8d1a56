"""The pages: signing up, sharing notes, staying signed in, coming back."""

import os
import re
import signal

import pytest
from playwright.sync_api import Page, expect

from tests.support.chromium import Windows
from tests.support.client import PASSWORD
from tests.support.processes import processes_of
from tests.support.server import CurfewServer
from tests.support.workers import workers_of

pytestmark = pytest.mark.browser


def test_signing_up_by_the_form_signs_in_and_shows_the_account(page: Page, username: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account")
    expect(page.get_by_role("link", name=username)).to_be_visible()
    expect(page.locator("#sessions li")).to_have_count(1)
    expect(page.locator("#sessions li")).to_contain_text("this device")
    expect(page.locator("#sessions li")).to_contain_text("1 open tab")


def test_the_form_says_what_is_wrong_and_keeps_the_name(windows: Windows, username: str) -> None:
    page = windows.open().new_page()
    page.goto("/signup")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill("password password password")
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_role("alert")).to_contain_text("easy to guess")
    expect(page.get_by_label("Username")).to_have_value(username)


def test_a_wrong_password_is_told_without_saying_what_was_wrong(
    page: Page, windows: Windows, username: str
) -> None:
    expect(page.locator("#connection")).to_have_text("Live")
    stranger = windows.open().new_page()
    stranger.goto("/login")
    told = "The user name or the password is wrong."
    for name in (username, "nobody-at-all"):
        stranger.get_by_label("Username").fill(name)
        stranger.get_by_label("Password").fill("not the right one, sorry")
        stranger.get_by_role("button", name="Log in").click()
        expect(stranger.get_by_role("alert")).to_have_text(told)


def test_a_page_asks_to_sign_in_and_then_goes_on(
    page: Page, windows: Windows, username: str
) -> None:
    page.close()
    visitor = windows.open().new_page()
    visitor.goto("/account")
    expect(visitor).to_have_url(re.compile("/login"))
    visitor.get_by_label("Username").fill(username)
    visitor.get_by_label("Password").fill(PASSWORD)
    visitor.get_by_role("button", name="Log in").click()
    visitor.wait_for_url("**/account")


def test_a_note_appears_in_every_tab_and_device_of_the_same_person(
    page: Page, device: Page
) -> None:
    tab = page.context.new_page()
    for each in (page, tab, device):
        each.goto("/")
        expect(each.locator("#connection")).to_have_text("Live")
    page.get_by_label("Your note").fill("Lights out at ten <b>sharp</b>")
    page.get_by_role("button", name="Send").click()
    for each in (page, tab, device):
        expect(each.locator("#notes p")).to_have_text("Lights out at ten <b>sharp</b>")
    expect(page.locator("#notes li")).to_have_class("own")
    expect(tab.locator("#notes li")).not_to_have_class("own")


def test_the_list_counts_the_open_tabs_as_they_come_and_go(page: Page) -> None:
    expect(page.locator("#sessions li")).to_contain_text("1 open tab")
    tab = page.context.new_page()
    tab.goto("/")
    expect(page.locator("#sessions li")).to_contain_text("2 open tabs")
    tab.close()
    expect(page.locator("#sessions li")).to_contain_text("1 open tab")


def test_an_open_page_comes_back_after_its_server_process_was_killed(
    server: CurfewServer, page: Page
) -> None:
    expect(page.locator("#connection")).to_have_text("Live")
    (worker,) = workers_of(server)
    os.kill(worker, signal.SIGKILL)
    expect(page.locator("#connection")).to_contain_text("Offline")
    expect(page.locator("#connection")).to_have_text("Live", timeout=30_000)
    expect(page.locator("#sessions li")).to_contain_text("this device")


def test_an_outage_of_the_store_signs_nobody_out(server: CurfewServer, page: Page) -> None:
    expect(page.locator("#connection")).to_have_text("Live")
    (valkey,) = processes_of(server.data_dir, "valkey-server")
    os.kill(valkey, signal.SIGKILL)
    page.goto("/account")
    page.wait_for_function(
        """() => fetch('/api/session').then((answer) => answer.ok)""", polling=200
    )
    page.goto("/account")
    expect(page.locator("#sessions li")).to_contain_text("this device")
