"""Tabs that wait for a sign-in: another tab brings it, and they go on, to the whole address."""

from collections.abc import Iterator
from http import HTTPStatus

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.browsers.axe import violations
from tests.support.browsers.chromium import Windows, fill_in, sign_in, sign_up
from tests.support.browsers.firefox import Firefox, firefox
from tests.support.browsers.seen import is_live, log_out, sid_of
from tests.support.clients.client import PASSWORD
from tests.support.running.processes import eventually
from tests.support.servers.server import CurfewServer

pytestmark = pytest.mark.browser

DEEP = "/account?tab=files&id=42#activity"
OTHER_PASSWORD = PASSWORD[::-1]


@pytest.fixture
def tabs(windows: Windows, username: str) -> list[Page]:
    """Two tabs of one window whose person has an account and is signed out."""
    window = windows.open()
    tabs = [window.new_page() for _ in range(2)]
    sign_up(tabs[0], username, PASSWORD)
    log_out(tabs[0])
    tabs[0].wait_for_url("**/login?reason=logout*")
    return tabs


@pytest.fixture
def fox() -> Iterator[Firefox]:
    """A Firefox for one test."""
    with firefox() as running:
        yield running
        assert running.faults() == []


def test_a_deep_link_comes_back_whole_over_the_login_page(tabs: list[Page], username: str) -> None:
    page = tabs[0]
    page.goto(DEEP)
    page.wait_for_url("**/login?next=*")
    fill_in(page, username, OTHER_PASSWORD)
    expect(page.locator(".error")).to_be_visible()
    fill_in(page, username, PASSWORD)
    page.wait_for_url(f"**{DEEP}")


def test_a_deep_link_comes_back_whole_over_the_sign_up_page(tabs: list[Page]) -> None:
    page = tabs[0]
    page.goto(DEEP)
    page.locator("main a[href^='/signup']").click()
    fill_in(page, "somebody-new", PASSWORD)
    page.wait_for_url(f"**{DEEP}")


def test_a_deep_link_comes_back_whole_over_the_question_for_a_password(
    tabs: list[Page], username: str
) -> None:
    page = tabs[0]
    sign_in(page, username, PASSWORD)
    page.goto("/reauthenticate?next=%2Faccount%3Ftab%3Dfiles%26id%3D42#activity")
    for password in (OTHER_PASSWORD, PASSWORD):
        page.locator("#password").fill(password)
        page.locator("main form button.primary").click()
    page.wait_for_url(f"**{DEEP}")


def test_after_an_end_a_page_comes_back_whole(tabs: list[Page], username: str) -> None:
    page, other = tabs
    sign_in(page, username, PASSWORD)
    page.goto(DEEP)
    is_live(page)
    other.goto("/account")
    log_out(other)
    page.wait_for_url("**/login?reason=logout&next=*")
    fill_in(page, username, PASSWORD)
    page.wait_for_url(f"**{DEEP}")


def test_a_tab_on_the_login_page_notices_a_sign_in_in_another(
    tabs: list[Page], username: str
) -> None:
    waiting, other = tabs
    waiting.goto(DEEP)
    waiting.wait_for_url("**/login?next=*")
    sign_in(other, username, PASSWORD)
    waiting.wait_for_url(f"**{DEEP}")
    is_live(waiting)
    assert sid_of(waiting) == sid_of(other)


@pytest.mark.parametrize("path", ["/login", "/signup"])
def test_every_page_that_asks_for_a_sign_in_notices_one(
    tabs: list[Page], username: str, path: str
) -> None:
    waiting, other = tabs
    waiting.goto(path)
    sign_in(other, username, PASSWORD)
    waiting.wait_for_url("**/account")


def test_a_sign_in_that_happens_while_a_page_is_on_its_way_is_noticed(
    tabs: list[Page], username: str
) -> None:
    waiting, other = tabs
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    waiting.route("**/visitor.js*", hold)
    waiting.goto("/login", wait_until="commit")
    sign_in(other, username, PASSWORD)
    is_live(other)
    held[0].continue_()
    waiting.wait_for_url("**/account")


def test_a_store_that_stands_still_for_a_moment_hides_no_sign_in(
    tabs: list[Page], username: str
) -> None:
    waiting, other = tabs
    refused: list[Route] = []

    def refuse_once(route: Route) -> None:
        refused.append(route)
        route.fulfill(status=HTTPStatus.SERVICE_UNAVAILABLE)
        waiting.unroute("**/api/session")

    waiting.goto("/login")
    waiting.route("**/api/session", refuse_once)
    sign_in(other, username, PASSWORD)
    waiting.wait_for_url("**/account")
    assert len(refused) == 1


def test_a_tab_that_somebody_has_typed_into_says_so_and_its_form_still_works(
    tabs: list[Page], username: str
) -> None:
    waiting, other = tabs
    waiting.goto(DEEP)
    waiting.locator("#username").fill(username)
    waiting.locator("#password").fill(PASSWORD)
    sign_in(other, username, PASSWORD)
    way = waiting.locator("#elsewhere a")
    expect(way).to_be_visible()
    assert violations(waiting) == []
    expect(waiting.locator("#password")).to_have_value(PASSWORD)
    waiting.locator("main form button").first.click()
    waiting.wait_for_url(f"**{DEEP}")
    assert sid_of(waiting) == sid_of(other)
    is_live(other)


def test_the_link_of_such_a_tab_leads_on_too(tabs: list[Page], username: str) -> None:
    waiting, other = tabs
    waiting.goto(DEEP)
    waiting.locator("#username").fill("half a na")
    sign_in(other, username, PASSWORD)
    waiting.locator("#elsewhere a").click()
    waiting.wait_for_url(f"**{DEEP}")


def test_without_scripts_the_second_form_goes_on_as_well(windows: Windows, username: str) -> None:
    window = windows.open(java_script_enabled=False)
    first, second = window.new_page(), window.new_page()
    sign_up(first, username, PASSWORD)
    log_out(first)
    first.wait_for_url("**/login?reason=logout")
    second.goto("/account?tab=files")
    sign_in(first, username, PASSWORD)
    fill_in(second, username, PASSWORD)
    second.wait_for_url("**/account?tab=files")
    assert sid_of(first) == sid_of(second)


@pytest.mark.proves("A67")
def test_another_site_cannot_sign_anybody_in_or_over(
    server: CurfewServer, tabs: list[Page], username: str
) -> None:
    page, victim = tabs
    sign_in(victim, username, PASSWORD)
    sid = sid_of(victim)
    fields = f"<input name=username value={username}><input name=password value='{PASSWORD}'>"
    form = f"<form method=post action='{server.url}/login'>{fields}</form>"
    page.route(
        "http://evil.example/",
        lambda route: route.fulfill(
            content_type="text/html", body=f"{form}<script>document.forms[0].submit()</script>"
        ),
    )
    with page.expect_response(f"{server.url}/login") as answered:
        page.goto("http://evil.example/")
    assert answered.value.status == 403
    victim.goto("/account")
    assert sid_of(victim) == sid


def test_firefox_does_the_same(server: CurfewServer, fox: Firefox, username: str) -> None:
    window = fox.window()
    first, waiting = fox.open(window, server.url), fox.open(window, server.url)
    first.goto("/signup")
    first.fill_in(username, PASSWORD)
    first.arrives("/account")
    first.sees("#connection", data_state="live")
    waiting.goto(DEEP)
    waiting.sees("#connection", data_state="live")
    first.click("#logout")
    waiting.arrives("/login?reason=logout&next=")
    first.arrives("/login?reason=logout")
    first.fill_in(username, PASSWORD)
    waiting.arrives(DEEP)
    first.arrives("/account")
    assert (
        eventually(lambda: waiting.sees("body")["data-session"])
        == first.sees("body")["data-session"]
    )
