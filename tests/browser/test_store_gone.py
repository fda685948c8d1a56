"""The store stops or falls silent: pages hold, keep what they show, and nobody is signed out."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsers.seen import COMING_BACK_MS, is_in_state, is_live, is_signed_in, sid_of
from tests.support.servers.server import CurfewServer
from tests.support.servers.valkey import ValkeyServer

pytestmark = pytest.mark.browser

Act = Callable[[ValkeyServer], None]


@pytest.fixture(scope="module")
def own_valkey() -> Iterator[ValkeyServer]:
    """A store that these tests may stop; it keeps its data over a restart."""
    with ValkeyServer(appendonly="yes", appendfsync="always") as running:
        yield running


@pytest.fixture(scope="module")
def server(own_valkey: ValkeyServer) -> Iterator[CurfewServer]:
    """Of two processes, which soon know that they know nothing."""
    with CurfewServer(processes="2", store_url=own_valkey.url, node_lease="1s") as running:
        yield running


@pytest.mark.parametrize(
    ("stop", "go_on"),
    [(ValkeyServer.stop, ValkeyServer.start), (ValkeyServer.freeze, ValkeyServer.thaw)],
    ids=["stopped", "silent"],
)
def test_an_outage_holds_every_tab_and_signs_nobody_out(
    own_valkey: ValkeyServer, page: Page, device: Page, username: str, stop: Act, go_on: Act
) -> None:
    tab = page.context.new_page()
    tab.goto("/")
    for each in (page, tab, device):
        is_live(each)
    sids = [sid_of(each) for each in (page, tab, device)]
    tab.locator("#note").fill("half a sentence")

    stop(own_valkey)
    try:
        for each in (page, tab, device):
            is_in_state(each, "hold")
        expect(tab.locator("#note")).to_have_value("half a sentence")
        expect(page.locator("#sessions li").first).to_be_visible()
        refused = page.context.new_page()
        answer = refused.goto("/account")
        assert answer is not None
        assert answer.status == 503
        expect(refused.locator("[data-status='503']")).to_be_visible()
        assert page.evaluate("() => fetch('/api/session').then(({ status }) => status)") == 503
    finally:
        go_on(own_valkey)

    for each in (page, tab, device):
        is_live(each, COMING_BACK_MS)
    expect(tab.locator("#note")).to_have_value("half a sentence")
    assert [sid_of(each) for each in (page, tab, device)] == sids
    is_signed_in(refused, username)
    assert sid_of(refused) == sids[0]
