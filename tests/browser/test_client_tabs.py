"""The tabs of one browser: one reports, one renews the cookie, none is left behind."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, Request, WebSocket, expect

from handlers.languages.texts import reason_sentence
from server.core.reasons import Reason
from tests.support.browsers.chromium import Windows, sign_up
from tests.support.clients.client import PASSWORD
from tests.support.servers.server import CurfewServer

pytestmark = pytest.mark.browser

STEP_MS = 2_000
"""Of a page's own clock; less than a pong may take on it until the page asks over HTTP."""
REPORT_EVERY_MS, ASK_EVERY_MS = 30_000, 300_000
DUE_AFTER_MS = 2_500
"""Of the server's clock: the rotation interval, after twice its grace."""
SAME_FRAME_MS = 100.0
"""A frame takes 17 ms; the rest is for a machine with other things to do."""
NOTE_THE_END = """
new MutationObserver(() => {
  if (!document.querySelector('#ended > *')) return;
  window.endedAt ??= performance.timeOrigin + performance.now();
}).observe(document, { childList: true, subtree: true });
"""


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """Where a rotation is due as good as always."""
    with CurfewServer(rotation_interval="1s", rotation_grace="1s") as running:
        yield running


class Tab:
    """A tab on the start page, which makes no requests; notes what goes over its connection.

    Attributes:
        frames: how many of each type it sent or received.
        questions: how often it asked after its session over HTTP.
    """

    def __init__(self, window: BrowserContext) -> None:
        self.page = window.new_page()
        self.frames: Counter[str] = Counter()
        self.questions = 0
        self.page.on("websocket", self._listen)
        self.page.on("request", self._note_request)
        self.page.goto("/")
        expect(self.page.locator("#connection")).to_have_text("Live")

    @property
    def reports(self) -> int:
        """How often it told the server that a person is here."""
        return self.frames["activity"]

    def click(self) -> None:
        """A person does something."""
        self.page.get_by_role("heading", level=1).click()

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framesent", self._note_frame)
        socket.on("framereceived", self._note_frame)

    def _note_frame(self, frame: str | bytes) -> None:
        self.frames[json.loads(frame)["type"]] += 1

    def _note_request(self, request: Request) -> None:
        self.questions += request.url.endswith("/api/session")


@pytest.fixture
def window(windows: Windows, username: str) -> BrowserContext:
    """A window of somebody new, whose pages have a clock of their own; no page is open."""
    window = windows.open()
    window.clock.install()
    page = window.new_page()
    sign_up(page, username, PASSWORD)
    page.close()
    return window


@pytest.fixture
def tabs(window: BrowserContext) -> list[Tab]:
    """Three, of which the first is elected. From now on their clock only moves when it is moved."""
    tabs = [Tab(window) for _ in range(3)]
    window.clock.pause_at((tabs[0].page.evaluate("Date.now()") + STEP_MS) / 1_000)
    return tabs


def pass_time(tabs: list[Tab], milliseconds: int) -> None:
    """Time passes for the tabs of a window; the server answers its pings as fast as ever."""
    for _ in range(-(-milliseconds // STEP_MS)):
        tabs[0].page.context.clock.run_for(STEP_MS)
        wait(tabs, lambda: all(tab.frames["ping"] == tab.frames["pong"] for tab in tabs))


def wait(tabs: list[Tab], condition: Callable[[], bool]) -> None:
    """Wait for something that a tab notes."""
    for _ in range(500):
        if condition():
            return
        tabs[0].page.wait_for_timeout(10)
    pytest.fail("it did not come")


def settle(tabs: list[Tab]) -> None:
    """Wait for what may be under way between tabs and to the server."""
    for tab in tabs:
        tab.page.wait_for_timeout(100)


def questions_of_one_report(tabs: list[Tab]) -> list[int]:
    """How often each tab asks when a person acts in the last one; empty if none does."""
    before, reported = [tab.questions for tab in tabs], tabs[0].reports
    tabs[-1].click()
    wait(tabs, lambda: tabs[0].reports > reported)
    settle(tabs)
    asked = [tab.questions - each for tab, each in zip(tabs, before, strict=True)]
    return asked if any(asked) else []


def test_one_of_three_tabs_reports_that_a_person_is_in_any_of_them(tabs: list[Tab]) -> None:
    for tab in reversed(tabs):
        tab.click()
    wait(tabs, lambda: tabs[0].reports == 1)
    settle(tabs)
    assert [tab.reports for tab in tabs] == [1, 0, 0]

    tabs.pop(0).page.close()
    pass_time(tabs, REPORT_EVERY_MS)
    tabs[1].click()
    wait(tabs, lambda: tabs[0].reports == 1)
    settle(tabs)
    assert [tab.reports for tab in tabs] == [1, 0]


def test_pages_that_only_hold_sockets_have_the_cookie_renewed_by_one_request_of_one_tab(
    window: BrowserContext, tabs: list[Tab]
) -> None:
    while questions_of_one_report(tabs):
        pass_time(tabs, REPORT_EVERY_MS)  # the loading of the pages has renewed the cookie
    pass_time(tabs, ASK_EVERY_MS)
    tabs[0].page.wait_for_timeout(DUE_AFTER_MS)
    before = window.cookies()

    assert questions_of_one_report(tabs) == [1, 0, 0]
    wait(tabs, lambda: window.cookies() != before)
    pass_time(tabs, REPORT_EVERY_MS)
    assert questions_of_one_report(tabs) == [1, 0, 0]  # brings it back
    pass_time(tabs, REPORT_EVERY_MS)
    assert questions_of_one_report(tabs) == []


def test_an_end_reaches_a_tab_without_a_connection_in_the_same_frame(
    server: CurfewServer, page: Page, username: str
) -> None:
    page.context.add_init_script(NOTE_THE_END)
    page.goto("/")
    expect(page.locator("#connection")).to_have_text("Live")
    alone = page.context.new_page()
    alone.route_web_socket(re.compile("/ws$"), lambda socket: socket.close(code=1013))
    alone.goto("/")
    expect(alone.locator("#connection")).to_contain_text("Offline")
    assert server.command("sessions", "end", "--user", username).returncode == 0
    for each in (page, alone):
        expect(each.locator("#ended")).to_contain_text(reason_sentence(Reason.ADMIN))
        expect(each.locator("[data-private]")).to_have_count(0)
    first, second = (float(each.evaluate("window.endedAt")) for each in (page, alone))
    assert abs(first - second) < SAME_FRAME_MS


def test_a_page_that_wakes_up_asks_before_it_shows_anything(
    server: CurfewServer, window: BrowserContext, username: str
) -> None:
    alone = window.new_page()
    alone.route_web_socket(re.compile("/ws$"), lambda socket: socket.close(code=1013))
    alone.goto("/")
    expect(alone.locator("#connection")).to_contain_text("Offline")
    assert server.command("sessions", "end", "--user", username).returncode == 0
    expect(alone.locator("#ended")).to_be_empty()
    window.clock.fast_forward(60_000)
    expect(alone.locator("#ended")).to_contain_text(reason_sentence(Reason.ADMIN))
