"""The complete page of the how-to, as a front-end developer would take it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.servers.server import ROOT, CurfewServer

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """The example's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))  # as `python -m` in the project's folder does
        with CurfewServer(script=ROOT / "examples/messages.py") as running:
            yield running


def open_example(window: BrowserContext) -> Page:
    """The example in a tab of its own."""
    tab = window.new_page()
    tab.goto("/messages")
    expect(tab.get_by_role("status")).to_have_text("Live")
    return tab


def test_the_example_of_the_how_to_shares_messages_and_hears_of_the_end(page: Page) -> None:
    here, there = open_example(page.context), open_example(page.context)
    here.get_by_label("Message").fill("lights out at ten")
    here.get_by_role("button", name="Send").click()
    for tab in (here, there):
        expect(tab.get_by_role("listitem")).to_have_text("lights out at ten")
        tab.evaluate("dispatchEvent(new Event('online'))")  # it asks, and is answered
        expect(tab.get_by_role("status")).to_have_text("Live")
    page.get_by_role("button", name="Log out").click()
    for tab in (here, there):
        tab.wait_for_url("**/login?reason=logout")
