"""Networks that let no sockets through, by a real nginx: an open page learns of its end anyway."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from server.core.reasons import Reason
from tests.support.browsers.axe import violations
from tests.support.browsers.chromium import Windows, sign_up
from tests.support.browsers.firefox import firefox
from tests.support.browsers.seen import are_shown_out, ended, is_in_state, is_live
from tests.support.clients.client import PASSWORD
from tests.support.servers.blocked import BlockedNetwork, blocked_network

pytestmark = pytest.mark.browser

SEEN_WITHIN_MS = 30_000
TABS = 10

Opened = Callable[..., tuple[BlockedNetwork, Page]]


@pytest.fixture
def opened(browser: Browser, username: str) -> Iterator[Opened]:
    """Opens the account page of somebody new behind a network."""
    with ExitStack() as stack:

        def opened(way: str, **settings: str) -> tuple[BlockedNetwork, Page]:
            network = stack.enter_context(blocked_network(way, **settings))
            page = stack.enter_context(_window(browser, network)).open().new_page()
            sign_up(page, username, PASSWORD)
            return network, page

        yield opened


@contextmanager
def _window(browser: Browser, network: BlockedNetwork) -> Iterator[Windows]:
    windows = Windows(browser, network.url)
    yield windows
    windows.close()
    assert windows.faults == []


@pytest.mark.parametrize("way", ["refused", "plain", "deaf", "closed"])
def test_an_end_is_seen_within_half_a_minute(opened: Opened, username: str, way: str) -> None:
    network, page = opened(way)
    with ended(page, reason=Reason.ADMIN, timeout=SEEN_WITHIN_MS):
        assert network.server.command("sessions", "end", "--user", username).returncode == 0
    are_shown_out(page, reason=Reason.ADMIN)


def test_so_it_is_where_sockets_worked_and_then_nothing_came_any_more(
    opened: Opened, username: str
) -> None:
    network, page = opened("open")
    is_live(page)
    network.link.darken()
    with ended(page, reason=Reason.ADMIN, timeout=SEEN_WITHIN_MS):
        assert network.server.command("sessions", "end", "--user", username).returncode == 0


def test_the_page_says_what_works_and_goes_live_when_sockets_do(opened: Opened) -> None:
    network, page = opened("open")
    is_live(page)
    network.link.cut()
    is_in_state(page, "limited", 30_000)
    expect(page.locator("#connection")).to_contain_text("Live updates are blocked")
    assert violations(page) == []
    assert network.server.stop() == 0
    is_in_state(page, "offline", 30_000)
    network.server.start()
    is_in_state(page, "limited", 60_000)
    network.link.mend()
    is_live(page, 60_000)


def test_the_idle_end_comes_at_its_moment_and_after_a_warning_and_asking_is_no_activity(
    opened: Opened,
) -> None:
    network, page = opened("refused", idle_timeout="40s")
    began = time.monotonic()
    expect(page.get_by_role("dialog")).to_be_visible(timeout=36_000)
    assert time.monotonic() - began > 28  # the last fifth begins after 32 s
    with ended(page, reason=Reason.IDLE_TIMEOUT, timeout=15_000):
        pass
    assert 38 < time.monotonic() - began < 45
    assert {each.rpartition(" ")[2] for each in network.asked()} == {"none"}


def test_a_person_who_acts_under_the_warning_stays(opened: Opened) -> None:
    network, page = opened("refused", idle_timeout="40s")
    expect(page.get_by_role("dialog")).to_be_visible(timeout=36_000)
    page.keyboard.press("Shift")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert "GET /api/session 200 -" in network.asked()
    time.sleep(12)  # past the former deadline
    expect(page.locator("#ended")).to_be_empty()


def test_ten_tabs_ask_no_more_often_than_one(opened: Opened, username: str) -> None:
    network, page = opened("refused")
    tabs = [page, *(page.context.new_page() for _ in range(TABS - 1))]
    for tab in tabs[1:]:
        tab.goto("/account")
    for tab in tabs:
        is_in_state(tab, "limited", 40_000)
    before = len(network.asked())
    page.wait_for_timeout(45_000)
    assert 2 <= len(network.asked()) - before <= 5
    with ended(*tabs, reason=Reason.ADMIN, timeout=SEEN_WITHIN_MS):
        assert network.server.command("sessions", "end", "--user", username).returncode == 0


def test_firefox_sees_the_end_as_well(username: str) -> None:
    with blocked_network("refused") as network, firefox() as fox:
        tab = fox.open(fox.window(), network.url)
        tab.goto("/signup")
        tab.fill_in(username, PASSWORD)
        tab.sees("#connection", data_state="limited")
        assert network.server.command("sessions", "end", "--user", username).returncode == 0
        since = time.monotonic()
        while tab.run("() => location.pathname") != "/login":
            assert time.monotonic() - since < SEEN_WITHIN_MS / 1_000
            time.sleep(0.5)
        tab.sees("#reason", data_reason="admin")
