"""HTTPS by the self-made certificate, in a browser that has never heard of it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Error, Page

from tests.support.browsers.chromium import Windows, sign_up
from tests.support.browsers.seen import (
    COMING_BACK_MS,
    is_in_state,
    is_live,
    is_login_page,
    is_signed_in,
    sid_of,
)
from tests.support.clients.client import PASSWORD
from tests.support.servers.tls import TlsServer

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server() -> Iterator[TlsServer]:
    """Under HTTPS, of two processes."""
    with TlsServer(processes=2) as running:
        yield running


def go_on_past_the_warning(page: Page) -> None:
    """Do what the documents tell people to do. Browsers offer it unless a host has sent HSTS."""
    with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
        page.goto("/login")
    page.locator("#details-button").click()
    page.locator("#proceed-link").click()
    is_login_page(page)


def test_one_goes_on_past_the_warning_once_and_is_live_also_after_a_restart(
    server: TlsServer, windows: Windows, username: str
) -> None:
    page = windows.open().new_page()
    go_on_past_the_warning(page)
    sign_up(page, username, PASSWORD)
    is_live(page)
    (cookie,) = page.context.cookies()
    assert cookie["secure"]
    sid = sid_of(page)

    assert server.stop() == 0
    is_in_state(page, "offline")
    server.start()
    is_live(page, COMING_BACK_MS)  # by its socket, which no dialog could have let through
    is_signed_in(page, username)
    assert sid_of(page) == sid
