"""A real Chromium on a real Curfew."""

import itertools
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browsers.chromium import Windows, chromium, sign_in, sign_up
from tests.support.clients.client import PASSWORD
from tests.support.servers.server import CurfewServer

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """With default settings, shared by the tests of a file."""
    with CurfewServer() as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a file."""
    with chromium() as running:
        yield running


@pytest.fixture
def windows(server: CurfewServer, browser: Browser) -> Iterator[Windows]:
    """Opens windows; at the end no script may have failed and nothing been refused in any."""
    windows = Windows(browser, server.url)
    yield windows
    windows.close()
    assert windows.faults == []
    assert " ERROR " not in server.log
    assert "Traceback" not in server.log


@pytest.fixture
def username() -> str:
    """A name that nobody has."""
    return f"ada-{next(_numbers)}"


@pytest.fixture
def page(windows: Windows, username: str) -> Page:
    """A tab of somebody new, signed in by the form."""
    page = windows.open().new_page()
    sign_up(page, username, PASSWORD)
    return page


@pytest.fixture
def device(windows: Windows, page: Page, username: str) -> Page:
    """A tab in a second browser of the same person."""
    assert page.url.endswith("/account")
    device = windows.open().new_page()
    sign_in(device, username, PASSWORD)
    return device
