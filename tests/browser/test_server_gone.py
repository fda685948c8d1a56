"""The server stops, dies and comes back: open pages keep what they show, and come back too."""

import json
import os
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.support.browsers.seen import COMING_BACK_MS, has_tabs, is_in_state, is_live, sid_of
from tests.support.servers.server import CurfewServer
from tests.support.servers.workers import workers_of

pytestmark = pytest.mark.browser

TABS = 4
TOGETHER_SECONDS = 0.05
"""How far apart sockets are at most that were opened in the same moment."""
NOTE = "the harbour is quiet"


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """Of two processes."""
    with CurfewServer(processes="2") as running:
        yield running


class Drains:
    """Notes when the server asks the tabs to come back, and when they do.

    Attributes:
        delays: milliseconds, one for each tab that was asked.
        moments: when a socket was greeted, by the server's clock.
    """

    def __init__(self) -> None:
        self.delays: list[int] = []
        self.moments: list[float] = []

    def watch(self, tab: Page) -> None:
        """Listen to the sockets that the tab opens from now on."""
        tab.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._hear)

    def _hear(self, text: str | bytes) -> None:
        frame = json.loads(text)
        if frame["type"] == "hello":
            self.moments.append(frame["now"])
        if frame["type"] == "drain":
            self.delays.append(frame["reconnect_in_ms"])


@pytest.fixture
def drains() -> Drains:
    """None yet."""
    return Drains()


@pytest.fixture
def tabs(page: Page, drains: Drains) -> list[Page]:
    """Tabs of the start page, each with a note that was shared and another half typed."""
    tabs = [page.context.new_page() for _ in range(TABS)]
    for tab in tabs:
        drains.watch(tab)
        tab.goto("/")
        is_live(tab)
    tabs[0].locator("#note").fill(NOTE)
    tabs[0].locator("#note-form button").click()
    for tab in tabs:
        expect(tab.locator("#notes p")).to_have_text(NOTE)
        tab.locator("#note").fill("half a sentence")
    return tabs


def show_what_they_had(tabs: list[Page]) -> None:
    """Notes and typed text are there: no page was reloaded, nor emptied."""
    for tab in tabs:
        expect(tab.locator("#notes p")).to_have_text(NOTE)
        expect(tab.locator("#note")).to_be_visible()
        expect(tab.locator("#note")).to_have_value("half a sentence")
        expect(tab.locator("[data-unverified]")).to_have_count(0)


def test_tabs_come_back_after_a_restart_each_at_a_moment_of_its_own(
    server: CurfewServer, page: Page, tabs: list[Page], drains: Drains
) -> None:
    sid = sid_of(page)
    assert server.stop() == 0
    for tab in tabs:
        is_in_state(tab, "offline")
    show_what_they_had(tabs)
    server.start()
    for tab in [*tabs, page]:
        is_live(tab, COMING_BACK_MS)
    show_what_they_had(tabs)
    assert {sid_of(tab) for tab in tabs} == {sid}
    has_tabs(page, sid, TABS + 1)
    assert len(drains.delays) == TABS
    assert len(set(drains.delays)) > 1
    assert min(drains.delays) >= 0
    assert max(drains.delays) <= 5_000
    returns = drains.moments[TABS:]
    assert len(returns) == TABS
    assert max(returns) - min(returns) > TOGETHER_SECONDS


def test_tabs_come_back_after_the_whole_server_was_killed(
    server: CurfewServer, page: Page, tabs: list[Page]
) -> None:
    sid = sid_of(page)
    server.stop(signal.SIGKILL)
    for tab in tabs:
        is_in_state(tab, "offline")
    show_what_they_had(tabs)
    tabs[0].locator("#note-form button").click()  # it cannot be sent, and is not lost
    expect(tabs[0].locator("#note-problem")).not_to_be_empty()
    show_what_they_had(tabs)
    server.start()
    for tab in tabs:
        is_live(tab, COMING_BACK_MS)
    show_what_they_had(tabs)
    tabs[0].locator("#note-form button").click()
    expect(tabs[1].locator("#notes p").last).to_have_text("half a sentence")
    assert {sid_of(tab) for tab in tabs} == {sid}


def test_tabs_of_a_process_that_was_killed_go_on_with_the_other(
    server: CurfewServer, tabs: list[Page]
) -> None:
    for worker in workers_of(server):
        os.kill(worker, signal.SIGKILL)
    for tab in tabs:
        is_in_state(tab, "offline")
    for tab in tabs:
        is_live(tab, COMING_BACK_MS)
    show_what_they_had(tabs)
