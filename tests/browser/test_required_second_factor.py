"""Where everybody needs a second factor: one is led to it, sets it up, and goes on."""

from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Page, WebSocket, expect

from handlers.languages.texts import ENGLISH
from server.core.reasons import Reason
from tests.support.browsers.axe import violations
from tests.support.browsers.chromium import Windows, fill_in
from tests.support.browsers.seen import are_shown_out, is_signed_in
from tests.support.clients.client import PASSWORD
from tests.support.servers.server import CurfewServer

pytestmark = pytest.mark.browser

HOME = "/account/security"


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """It asks everybody for a second factor."""
    with CurfewServer(second_factor="required") as running:
        yield running


@pytest.fixture
def page(windows: Windows, username: str) -> Page:
    """A tab of somebody new, who signed up and was led to the page of second factors."""
    page = windows.open(reduced_motion="reduce").new_page()
    page.goto("/signup")
    fill_in(page, username, PASSWORD)
    page.wait_for_url(f"**{HOME}")
    return page


def set_up_an_app(page: Page) -> None:
    page.locator(f"form[action='{HOME}/totp'] button").click()
    secret = page.locator("#totp-secret").inner_text().replace(" ", "")
    page.locator("#code").fill(pyotp.TOTP(secret).now())
    page.locator("main form button").click()
    expect(page.locator("#recovery-codes li")).to_have_count(10)


@pytest.mark.proves("6.3.3")
def test_one_is_led_to_the_page_that_helps_sets_an_app_up_and_goes_on(
    page: Page, username: str
) -> None:
    expect(page.locator("#owed")).to_have_text(ENGLISH.text("security.required"))
    other = page.context.new_page()
    other.goto("/")
    other.wait_for_url(f"**{HOME}")  # from everywhere
    set_up_an_app(page)
    expect(page.locator("#owed")).to_have_count(0)
    page.get_by_role("main").get_by_role("link", name=ENGLISH.text("site.your_account")).click()
    page.wait_for_url("**/account")
    is_signed_in(page, username)
    is_signed_in(other, username)  # of the same session, with its next request


def test_a_page_that_may_not_connect_says_nothing_of_it_and_does_not_try_again(page: Page) -> None:
    tab = page.context.new_page()
    sockets: list[WebSocket] = []

    def note(socket: WebSocket) -> None:
        sockets.append(socket)

    tab.on("websocket", note)
    tab.clock.install()
    with tab.expect_event("websocket") as opened:
        tab.goto(HOME)
    if not opened.value.is_closed():
        opened.value.wait_for_event("close")
    tab.clock.run_for(120_000)  # longer than any wait before another try
    expect(tab.locator("#connection")).to_have_count(0)
    expect(tab.locator("html")).not_to_have_attribute("data-unverified", "")
    assert len(sockets) == 1
    assert tab.url.endswith(HOME)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_that_asks_for_it_breaks_no_rule(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # a plain str
    expect(page.locator("#owed")).to_be_visible()
    assert violations(page) == []


@pytest.mark.proves("6.3.3")
def test_with_the_last_factor_every_tab_is_signed_out_and_told_why(
    page: Page, username: str
) -> None:
    set_up_an_app(page)
    other = page.context.new_page()
    is_signed_in(other, username)
    page.goto(HOME)
    page.locator(f"form[action='{HOME}/totp/remove'] button").click()
    are_shown_out(page, other, reason=Reason.CREDENTIAL_CHANGED)
    fill_in(page, username, PASSWORD)
    page.wait_for_url(f"**{HOME}")
    expect(page.locator("#owed")).to_be_visible()
