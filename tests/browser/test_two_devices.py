"""One person with three tabs on a computer and one on a phone, on a server of two processes."""

import itertools
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from server.core.reasons import Reason
from tests.support.browsers.chromium import Windows, fill_in, sign_in, sign_up
from tests.support.browsers.seen import (
    are_shown_out,
    change_password,
    ended,
    has_sessions,
    has_tabs,
    is_live,
    is_login_page,
    is_signed_in,
    sid_of,
)
from tests.support.clients.client import PASSWORD
from tests.support.servers.server import CurfewServer
from tests.support.servers.workers import held_up, sockets_by_node, workers_of

pytestmark = pytest.mark.browser

COMPUTER = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/156.0.0.0 Safari/537.36"
)
PHONE = "Mozilla/5.0 (Android 16; Mobile; rv:153.0) Gecko/153.0 Firefox/153.0"
MANY_TABS = 12


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """Of two processes."""
    with CurfewServer(processes="2") as running:
        yield running


@pytest.fixture
def page(windows: Windows, username: str) -> Page:
    """The computer's first tab, which shows the account."""
    page = windows.open(user_agent=COMPUTER).new_page()
    sign_up(page, username, PASSWORD)
    is_live(page)
    return page


@pytest.fixture
def phone(windows: Windows, page: Page, username: str) -> Page:
    """The phone's tab, which shows the account."""
    assert sid_of(page)
    phone = windows.open(user_agent=PHONE, viewport={"width": 360, "height": 740}).new_page()
    sign_in(phone, username, PASSWORD)
    is_live(phone)
    return phone


@pytest.fixture
def tabs(server: CurfewServer, page: Page, username: str) -> list[Page]:
    """The computer's tabs: three at least, and in the end both processes hold some of them."""
    tabs = [page]
    busy = itertools.cycle(workers_of(server))
    while len(tabs) < 3 or len(sockets_by_node(server, username, sid_of(page))) < 2:
        assert len(tabs) < MANY_TABS, "the processes do not share the work"
        with held_up(next(busy)):
            tab = page.context.new_page()
            tab.goto("/")
            is_live(tab)
        tabs.append(tab)
    return tabs


def test_both_devices_see_each_other_by_name_with_their_tabs_as_they_come_and_go(
    tabs: list[Page], phone: Page
) -> None:
    page = tabs[0]
    for seen_by in (page, phone):
        has_sessions(seen_by, 2)
        has_tabs(seen_by, sid_of(page), len(tabs))
        has_tabs(seen_by, sid_of(phone), 1)
        for each, name in ((page, "Chrome on Linux"), (phone, "Firefox on Android")):
            card = seen_by.locator(f"#sessions li[data-session='{sid_of(each)}']")
            expect(card.get_by_role("heading")).to_contain_text(name)
        expect(seen_by.locator("#sessions li").first).to_have_attribute(
            "data-session", sid_of(seen_by)
        )
    tabs.pop().close()
    for seen_by in (page, phone):
        has_tabs(seen_by, sid_of(page), len(tabs))


def test_the_phone_ends_the_computer_and_all_its_tabs_know_at_once(
    tabs: list[Page], phone: Page, username: str
) -> None:
    has_sessions(phone, 2)
    with ended(*tabs, reason=Reason.TERMINATED):
        phone.locator(f"#end-{sid_of(tabs[0])}").click()
    are_shown_out(*tabs, reason=Reason.TERMINATED)
    has_sessions(phone, 1)
    is_signed_in(phone, username)
    fill_in(tabs[1], username, PASSWORD)
    tabs[1].wait_for_url("**/")
    has_sessions(phone, 2)  # the new sign-in is seen where the account was open all the time


def test_the_computer_ends_all_others_and_keeps_all_its_own_tabs(
    tabs: list[Page], phone: Page
) -> None:
    has_sessions(tabs[0], 2)
    with ended(phone, reason=Reason.TERMINATED):
        tabs[0].locator("#end-others").click()
    are_shown_out(phone, reason=Reason.TERMINATED)
    for tab in tabs:
        is_live(tab)
    has_sessions(tabs[0], 1)


@pytest.mark.proves("7.4.3", "A34")
def test_a_new_password_leaves_the_own_tabs_and_ends_the_phone_which_needs_the_new_one(
    tabs: list[Page], phone: Page, username: str
) -> None:
    with ended(phone, reason=Reason.CREDENTIAL_CHANGED):
        change_password(tabs[0], PASSWORD, PASSWORD[::-1])
    are_shown_out(phone, reason=Reason.CREDENTIAL_CHANGED)
    for tab in tabs:
        is_live(tab)
    is_signed_in(tabs[1], username)
    fill_in(phone, username, PASSWORD)
    expect(phone.get_by_role("alert")).to_be_visible()
    is_login_page(phone)
    sign_in(phone, username, PASSWORD[::-1])
