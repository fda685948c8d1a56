"""The list of sessions on an open account page, fetched again when it may have changed."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Page, Request, Route, expect

from tests.support.browsers.chromium import Windows, sign_up
from tests.support.browsers.seen import has_sessions, is_live, sid_of
from tests.support.clients.client import PASSWORD
from tests.support.running.processes import eventually
from tests.support.servers.server import CurfewServer

pytestmark = pytest.mark.browser

Answer = dict[str, Any] | None
HTML = {"content_type": "text/html"}


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """It notes nearly every activity."""
    with CurfewServer(touch_interval="10ms") as running:
        yield running


@pytest.fixture
def page(page: Page) -> Page:
    """A tab with the account, which knows all that there is now."""
    is_live(page)
    page.wait_for_load_state("networkidle")
    return page


def sign_in_by_program(windows: Windows, username: str) -> None:
    """Without a socket, so that open pages are told of it once."""
    window = windows.open()
    answer = window.request.post("/api/login", data={"username": username, "password": PASSWORD})
    assert answer.ok


class Instead:
    """Answers the next requests of a script for the account page.

    Args:
        page: whose requests.
        answers: one for each, as of `Route.fulfill`, or none at all; the rest goes to the server.
    """

    def __init__(self, page: Page, *answers: Answer) -> None:
        self.left = list(answers)
        page.route("**/account", self._answer)

    def _answer(self, route: Route, request: Request) -> None:
        if not self.left or request.resource_type != "xhr":
            route.continue_()
        elif answer := self.left.pop(0):
            route.fulfill(**answer)


@pytest.mark.parametrize(
    "answer",
    [None, {**HTML, "status": 503, "body": "<p>later</p>"}, {**HTML, "body": "<p>who is it?</p>"}],
    ids=["none", "unavailable", "signed out"],
)
def test_a_list_that_did_not_come_is_fetched_once_more(
    windows: Windows, page: Page, username: str, answer: Answer
) -> None:
    trouble = Instead(page, answer)
    sign_in_by_program(windows, username)
    expect(page.locator("#sessions li")).to_have_count(2, timeout=30_000)
    assert not trouble.left


def test_what_belongs_to_another_session_is_neither_shown_nor_announced(
    windows: Windows, page: Page, username: str
) -> None:
    stranger = windows.open().new_page()
    sign_up(stranger, f"{username}.2", PASSWORD)
    foreign = {**HTML, "body": stranger.content()}
    confusion = Instead(page, foreign, foreign)
    sign_in_by_program(windows, username)
    eventually(lambda: sid_of(page) and not confusion.left)
    has_sessions(page, 1)
    assert page.locator("#sessions li").get_attribute("data-session") == sid_of(page)
    sign_in_by_program(windows, username)
    has_sessions(page, 3)
    expect(page.locator("#news .notice")).to_have_count(2)


def test_a_device_that_is_in_use_stays_active_though_no_tab_opens_or_closes(
    page: Page, device: Page
) -> None:
    is_live(device)
    tab = page.context.new_page()
    tab.clock.install()
    tab.goto("/account")
    is_live(tab)
    tab.wait_for_load_state("networkidle")
    active = tab.locator(f"#sessions li[data-session='{sid_of(device)}'] time").first
    shown = active.get_attribute("datetime") or ""
    before = last_active(page, device)
    eventually(lambda: use(device) and last_active(page, device) > before + 1)
    expect(active).to_have_attribute("datetime", shown)
    tab.clock.fast_forward("01:00")
    expect(active).not_to_have_attribute("datetime", shown)


def use(device: Page) -> bool:
    """Do something on a device, without a socket."""
    return device.request.get("/api/session").ok


def last_active(page: Page, device: Page) -> float:
    """When a device was in use, as the server has it."""
    answer: APIResponse = page.request.get("/api/sessions", headers={"Curfew-Activity": "none"})
    (found,) = (each for each in answer.json()["sessions"] if each["id"] == sid_of(device))
    return float(found["last_active_at"])
