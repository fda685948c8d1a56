"""The cookie changes under five tabs that ask in parallel all the time. Nobody notices."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.support.browsers.seen import is_in_state, is_live, sid_of
from tests.support.servers.server import CurfewServer

pytestmark = pytest.mark.browser

TABS = 5
ASK = """
() => {
  window.answers = [];
  window.generations = new Set();
  const ask = async () => {
    const response = await fetch('/api/session', { cache: 'no-store' });
    window.answers.push(response.status);
    if (response.ok) window.generations.add((await response.json()).session.generation);
  };
  const round = async () => {
    await Promise.all(Array.from({ length: 4 }, ask));
    if (!window.enough) setTimeout(round, 100);
  };
  round();
}
"""
"""Four requests at once, again and again."""


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """Of two processes, which change the token as often as they can."""
    with CurfewServer(processes="2", rotation_interval="500ms", rotation_grace="3s") as running:
        yield running


@pytest.mark.proves("A20")
def test_five_tabs_outlive_rotations_under_parallel_requests(page: Page) -> None:
    sid = sid_of(page)
    tabs = [page, *(page.context.new_page() for _ in range(TABS - 1))]
    for tab in tabs[1:]:
        tab.goto("/")
    for tab in tabs:
        is_live(tab)
        tab.evaluate(ASK)
    page.wait_for_function("() => window.generations.size >= 3", timeout=30_000)

    for tab in tabs:
        tab.evaluate("() => { window.enough = true; }")
        answers = tab.evaluate("() => window.answers")  # of the same page: it was never reloaded
        assert len(answers) > 20
        assert set(answers) == {200}
        assert sid_of(tab) == sid
        is_in_state(tab, "live")
    cookies = {each["name"]: each["value"] for each in page.context.cookies()}
    assert len(cookies) == 1
