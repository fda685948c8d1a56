"""A session that is about to end by time: the page warns, and a person can stay."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from server.core.reasons import Reason
from tests.support.browsers.seen import are_shown_out, ended, is_live
from tests.support.servers.server import CurfewServer

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """With a short idle timeout, of which the last fifth is warned of."""
    with CurfewServer(idle_timeout="10s") as running:
        yield running


def test_the_warning_counts_down_in_all_tabs_and_staying_in_one_keeps_all(page: Page) -> None:
    tab = page.context.new_page()
    tab.goto("/")
    for each in (page, tab):
        expect(each.get_by_role("dialog")).to_be_visible(timeout=15_000)
        expect(each.locator("#expiring-clock")).to_have_text("0:01")
    page.bring_to_front()
    page.locator("#stay-active").click()
    for each in (page, tab):
        expect(each.get_by_role("dialog")).to_be_hidden()
        is_live(each)


def test_nothing_happens_so_the_page_says_that_it_was_signed_out(page: Page) -> None:
    with ended(page, reason=Reason.IDLE_TIMEOUT, timeout=30_000):
        expect(page.get_by_role("dialog")).to_be_visible(timeout=15_000)
    expect(page.get_by_role("dialog")).to_have_count(0)
    are_shown_out(page, reason=Reason.IDLE_TIMEOUT)
