"""A page that is about to be left: what a browser does then passes for no trouble elsewhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.support.browsers.firefox import Firefox, Tab, firefox
from tests.support.browsers.seen import is_live
from tests.support.clients.client import PASSWORD
from tests.support.running.processes import eventually
from tests.support.servers.server import ROOT, CurfewServer

pytestmark = pytest.mark.browser

SCRIPT = Path(ROOT, "tests", "support", "servers", "leaving_run.py")
NOTE_STATES = """() => {
  const line = document.getElementById('connection');
  window.states = [];
  window.sockets = 0;
  const note = () => { states.push(line.dataset.state); console.info('noted a state'); };
  new MutationObserver(note).observe(line, { attributes: true });
  window.WebSocket = new Proxy(WebSocket, {
    construct: (type, given) => {
      sockets += 1;
      console.info('noted a socket');
      return new type(...given);
    },
  });
}"""
LEAVE = {
    "a download": "() => { location.href = '/file'; }",
    "an answer without a page": "() => { location.href = '/nothing'; }",
    "a next page that is slow": "() => { location.href = '/slow'; }",
    "loading that is stopped": "() => setTimeout(() => window.stop(), 200)",
    "a link to a mail program": "() => { location.href = 'mailto:ada@example.org'; }",
    "a download by its attribute": """() => {
      const link = Object.assign(document.createElement('a'), { href: '/file', download: '' });
      document.body.append(link);
      link.click();
    }""",
}
CLOSES_SOCKETS = {
    "a download",
    "an answer without a page",
    "a next page that is slow",
    "loading that is stopped",
}
"""What Firefox closes the sockets of a page for; Chromium closes none."""
SHOWN_MS = 6_000


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """With such addresses."""
    with CurfewServer(script=SCRIPT) as running:
        yield running


@pytest.fixture(scope="module")
def fox() -> Iterator[Firefox]:
    """One Firefox for the tests of this file."""
    with firefox() as running:
        yield running


@pytest.fixture(scope="module")
def tab(fox: Firefox, server: CurfewServer) -> Tab:
    """A tab of somebody who is signed in."""
    tab = fox.open(fox.window(), server.url)
    tab.goto("/signup")
    tab.fill_in("fay", PASSWORD)
    tab.arrives("/account")
    return tab


@pytest.mark.parametrize("way", LEAVE)
def test_firefox_shows_no_trouble(tab: Tab, way: str) -> None:
    tab.goto("/account")
    tab.sees("#connection", data_state="live")
    tab.run(NOTE_STATES)
    tab.run(LEAVE[way])
    if way in CLOSES_SOCKETS:
        eventually(lambda: tab.run("() => window.sockets") >= 1)  # it has come back
        tab.sees("#connection", data_state="live")
    assert set(tab.run("() => window.states")) <= {"live"}


@pytest.mark.parametrize("way", LEAVE)
def test_chromium_shows_no_trouble(page: Page, way: str) -> None:
    page.goto("/account")
    is_live(page)
    page.evaluate(NOTE_STATES)
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.evaluate(LEAVE[way])
    page.wait_for_timeout(SHOWN_MS)
    assert not [each for each in told if each.startswith("noted")]


def test_a_person_who_decides_to_stay_after_all_is_shown_no_trouble(page: Page) -> None:
    page.goto("/account")
    is_live(page)
    page.evaluate(NOTE_STATES)
    page.evaluate("() => addEventListener('beforeunload', (event) => event.preventDefault())")
    page.locator("#current_password").click()  # only a page that was used may ask
    page.on("dialog", lambda dialog: dialog.dismiss())
    page.evaluate("() => { location.href = '/'; }")
    page.wait_for_timeout(SHOWN_MS)
    assert page.url.endswith("/account")
    assert page.evaluate("() => [window.states, window.sockets]") == [[], 0]


def test_firefox_shows_trouble_that_is_real(tab: Tab, server: CurfewServer) -> None:
    tab.goto("/account")
    tab.sees("#connection", data_state="live")
    assert server.stop() == 0
    tab.sees("#connection", data_state="offline")
    server.start()
