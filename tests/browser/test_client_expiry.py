"""The warning before a timeout reaches a tab without a connection, which can also stay."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.servers.server import CurfewServer

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """With a short idle timeout, of which the last fifth is warned of."""
    with CurfewServer(idle_timeout="15s") as running:
        yield running


def test_a_tab_without_a_connection_warns_with_the_others_and_stays_for_all(page: Page) -> None:
    alone = page.context.new_page()
    alone.route_web_socket(re.compile("/ws$"), lambda socket: socket.close(code=1013))
    alone.goto("/")
    expect(alone.locator("#connection")).to_contain_text("Offline")
    for each in (page, alone):
        expect(each.get_by_role("dialog")).to_be_visible(timeout=20_000)
    stay = alone.get_by_role("button", name="Stay signed in")
    expect(stay).to_be_focused()
    expect(alone.get_by_role("dialog").get_by_role("alert")).to_contain_text(re.compile(r"\d"))
    alone.keyboard.press("Enter")
    for each in (page, alone):
        expect(each.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("#connection")).to_have_text("Live")
