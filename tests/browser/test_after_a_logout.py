"""What a browser keeps after a logout: nothing that was private, and everything that was not."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.browsers.chromium import Windows, chromium, sign_up
from tests.support.browsers.firefox import firefox
from tests.support.browsers.seen import log_out
from tests.support.clients.client import PASSWORD
from tests.support.servers.server import CurfewServer
from tests.support.servers.tls import TlsServer

pytestmark = pytest.mark.browser

TRAIL = ("/", "/account/security", "/account")
OWN_SCRIPT = "() => document.querySelector('script[src*=page]').src"
IS_CACHED = """async (address) => {
  const options = { cache: 'only-if-cached', mode: 'same-origin' };
  return (await fetch(address, options).catch(() => null))?.status === 200;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """With the back-forward cache, which Playwright would switch off."""
    with chromium(without=["--disable-back-forward-cache"]) as running:
        yield running


@pytest.fixture(scope="module")
def tls_server() -> Iterator[TlsServer]:
    """Under HTTPS, where browsers keep pages by other rules."""
    with TlsServer() as running:
        yield running


@pytest.fixture(params=["http", "https"])
def address(request: pytest.FixtureRequest) -> str:
    """Of a server with this scheme."""
    name = "server" if request.param == "http" else "tls_server"
    running: CurfewServer = request.getfixturevalue(name)
    return running.url


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def window(
    request: pytest.FixtureRequest, browser: Browser, address: str
) -> Iterator[BrowserContext]:
    """A window, with scripts and without."""
    windows = Windows(browser, address)
    yield windows.open(java_script_enabled=request.param, ignore_https_errors=True)
    windows.close()


@pytest.mark.proves("A28", "14.3.1")
def test_neither_back_nor_forward_shows_anything_private(
    window: BrowserContext, username: str
) -> None:
    page = window.new_page()
    sign_up(page, username, PASSWORD)
    for path in TRAIL:
        page.goto(path)
    log_out(page)
    page.wait_for_url("**/login?reason=logout*")
    for _ in TRAIL:
        page.go_back(wait_until="commit")
        shows_nothing(page, username)
    for _ in TRAIL:
        page.go_forward(wait_until="commit")
        shows_nothing(page, username)


@pytest.mark.proves("A28", "14.3.1")
def test_so_it_is_in_a_tab_whose_session_was_logged_out_in_another(
    window: BrowserContext, username: str
) -> None:
    page, other = window.new_page(), window.new_page()
    sign_up(page, username, PASSWORD)
    for path in TRAIL:
        page.goto(path)
    page.goto("/nowhere")
    other.goto("/account")
    log_out(other)
    other.wait_for_url("**/login?reason=logout*")
    for _ in TRAIL:
        page.go_back(wait_until="commit")
        shows_nothing(page, username)


def shows_nothing(page: Page, username: str) -> None:
    """The page has nothing of this person, or is on its way to a page that has not."""
    expect(page.locator("[data-private]:visible").filter(has_text=username)).to_have_count(0)
    expect(page.locator("body")).not_to_contain_text(username)


def test_a_logout_leaves_the_cached_files_alone(server: CurfewServer, browser: Browser) -> None:
    windows = Windows(browser, server.url)
    page = windows.open().new_page()
    sign_up(page, "fern", PASSWORD)
    script = page.evaluate(OWN_SCRIPT)  # only pages of somebody who is signed in load it
    assert page.evaluate(IS_CACHED, script)
    log_out(page)
    page.wait_for_url("**/login?reason=logout*")
    assert page.evaluate(IS_CACHED, script)
    windows.close()


@pytest.mark.proves("A28", "14.3.1")
def test_firefox_shows_nothing_private_either(server: CurfewServer) -> None:
    with firefox() as fox:
        tab = fox.open(fox.window(), server.url)
        tab.goto("/signup")
        tab.fill_in("fox", PASSWORD)
        tab.arrives("/account")
        for path in TRAIL:
            tab.goto(path)
            tab.sees("#connection", data_state="live")
        tab.click("#logout")
        tab.arrives("/login?reason=logout")
        for _ in TRAIL:
            tab.back()
            tab.sees_none("[data-private]")
            assert "fox" not in tab.text()
