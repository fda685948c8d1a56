"""A tour through the pages of administrators."""

from collections.abc import Iterator
from typing import Any, Final

from playwright.sync_api import Page, expect

from tests.support.browsers.chromium import IPHONE, Windows, sign_in, sign_up
from tests.support.browsers.seen import is_live
from tests.support.clients.client import PASSWORD
from tests.support.pictures.tour import Stop
from tests.support.servers.server import CurfewServer

STATES: Final = (
    "admin", "admin-nobody", "admin-session", "admin-person", "admin-receipt", "admin-live",
    "admin-live-stale",
)  # fmt: skip
ADMIN: Final = "root"
STALE: Final = "() => document.getElementById('stale').removeAttribute('hidden')"


def administration(server: CurfewServer, windows: Windows, **options: Any) -> Iterator[Stop]:
    """Go along the pages of administrators.

    Args:
        server: the server.
        windows: where to open them.
        options: of the window that is shown.
    """
    server.command("user", "add", ADMIN, "--admin", given=f"{PASSWORD}\n")
    ada = windows.open(user_agent=IPHONE).new_page()
    sign_up(ada, "ada", PASSWORD)
    is_live(ada)
    sid = ada.locator("body").get_attribute("data-session")
    grace = windows.open().new_page()
    sign_up(grace, "grace", PASSWORD)
    page = windows.open(**options).new_page()
    sign_in(page, ADMIN, PASSWORD)
    page.get_by_role("link", name="Administration").click()
    is_live(page)
    yield "admin", page
    _search(page, "nobody")
    yield "admin-nobody", page
    _search(page, sid or "")
    yield "admin-session", page
    page.get_by_role("link", name="ada").click()
    is_live(page)
    yield "admin-person", page
    page.get_by_role("button", name="End the session on").click()
    expect(page.locator("main .notice")).to_contain_text("1 session ended")
    yield "admin-receipt", page
    page.get_by_role("link", name="Nodes and ends").click()
    is_live(page)
    expect(page.locator("#ends li")).to_have_count(1)
    yield "admin-live", page
    page.evaluate(STALE)
    yield "admin-live-stale", page


def _search(page: Page, words: str) -> None:
    page.goto("/admin")
    page.get_by_label("How a name begins").fill(words)
    page.get_by_role("button", name="Search").click()
    is_live(page)
