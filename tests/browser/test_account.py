"""The account page: true while it is open, and at the end of what one wanted."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from handlers.languages.texts import LANGUAGES
from tests.support.browsers.chromium import IPHONE, Windows, sign_in
from tests.support.browsers.seen import is_live
from tests.support.clients.client import PASSWORD
from tests.support.servers.server import CurfewServer

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """Every password is stale at once, as it otherwise is after five minutes."""
    with CurfewServer(reauthentication_window="1ms") as running:
        yield running


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_stale_password_is_asked_for_and_then_the_end_has_happened(
    windows: Windows, page: Page, device: Page, username: str, *, scripts: bool
) -> None:
    for each in (page, device):
        is_live(each)
    page.close()
    window = windows.open(java_script_enabled=scripts)
    page = window.new_page()
    sign_in(page, username, PASSWORD)
    page.get_by_role("button", name="End all others").click()
    question = page.get_by_text("Enter your password to end all your other sessions.")
    expect(question).to_be_visible()
    is_live(device)

    page.get_by_label("Password").fill("not the right one, sorry")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_have_text("The password is wrong.")
    expect(question).to_be_visible()

    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    receipt = re.compile(r"2 sessions ended: 1 tab closed on 1 server in \d+ ms\.")
    expect(page.locator("main .notice")).to_have_text(receipt)
    expect(page.locator("#sessions li")).to_have_count(1)
    expect(device.locator("#ended")).to_contain_text("from another one of your sessions")


def test_a_sign_in_elsewhere_is_told_in_every_tab_with_its_device(
    windows: Windows, page: Page, username: str
) -> None:
    start = page.context.new_page()
    start.goto("/")
    for each in (page, start):
        is_live(each)
        expect(each.locator("#news")).to_have_attribute("role", "status")
    expect(page.locator("#sessions")).to_contain_text("2 open tabs")

    phone = windows.open(user_agent=IPHONE).new_page()
    sign_in(phone, username, PASSWORD)

    for each in (page, start):
        told = each.locator("#news .notice")
        expect(told).to_contain_text("signed in to your account: Safari on iPhone, from 127.0.0.1")
        each.get_by_role("button", name="Dismiss").click()
        expect(told).to_have_count(0)
    expect(page.locator("#sessions li")).to_have_count(2)
    is_live(phone)
    expect(phone.locator("#news .notice")).to_have_count(0)  # which is no news to itself
    phone.reload()
    is_live(phone)
    for each in (page, start):
        expect(each.locator("#news .notice")).to_have_count(0)  # nor is a tab of it


def test_the_list_shows_the_own_device_first_and_what_the_others_do(
    windows: Windows, page: Page, username: str
) -> None:
    phone = windows.open(user_agent=IPHONE).new_page()
    sign_in(phone, username, PASSWORD)
    is_live(phone)
    first, second = page.locator("#sessions li").all()
    expect(first).to_contain_text("this device")
    expect(second).to_contain_text(re.compile(r"Safari on iPhone\s+Active just now\s+· 1 open tab"))
    phone.close()
    expect(second).to_contain_text("no open tab")


def test_relative_times_keep_themselves_true(page: Page, device: Page) -> None:
    is_live(device)
    tab = page.context.new_page()
    tab.clock.install()
    tab.goto("/account")
    is_live(tab)
    other = tab.locator("#sessions li").nth(1)
    expect(other).to_contain_text("Active just now")
    tab.clock.fast_forward("05:10")
    expect(other).to_contain_text("Active 5 minutes ago")


def test_the_page_and_its_scripts_speak_german_to_who_wants_it(
    windows: Windows, page: Page, username: str
) -> None:
    german = LANGUAGES["de"]
    is_live(page)
    window = windows.open(locale="de-AT")
    visitor = window.new_page()
    visitor.goto("/login")
    visitor.get_by_label(german.text("credentials.username")).fill(username)
    visitor.get_by_label(german.text("credentials.password")).fill(PASSWORD)
    visitor.get_by_role("button", name=german.text("site.log_in")).click()
    expect(visitor.get_by_role("heading", level=1)).to_have_text(german.text("account.heading"))
    expect(visitor.locator("html")).to_have_attribute("lang", "de")
    expect(visitor.locator("#sessions time").first).to_have_text(german.text("ago.now"))
    phone = windows.open(user_agent=IPHONE).new_page()
    sign_in(phone, username, PASSWORD)
    expect(visitor.locator("#news")).to_contain_text("Safari auf iPhone")
