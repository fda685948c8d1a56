"""The first steps of a new user: every place of the tutorial is reached by a link one can see."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from handlers.languages.texts import ENGLISH
from tests.support.browsers.chromium import Windows, sign_up
from tests.support.browsers.seen import is_live
from tests.support.clients.client import PASSWORD
from tests.support.servers.server import ROOT, CurfewServer

pytestmark = pytest.mark.browser
START = ENGLISH.text("site.start")


def test_the_notes_are_found_from_the_account_and_the_account_from_the_notes(
    page: Page, device: Page, username: str
) -> None:
    """Step 2 of the tutorial, without an address typed in."""
    for each in (page, device):
        each.goto("/account")
        each.get_by_role("navigation").get_by_role("link", name=START).click()
        is_live(each)
        expect(each.get_by_role("link", name=START)).to_have_attribute("aria-current", "page")
    page.locator("#note").fill("It is quiet")
    page.locator("#note-form button").click()
    expect(device.locator("#notes p")).to_have_text("It is quiet")
    page.get_by_role("link", name=username).click()
    expect(page.locator("#sessions")).to_be_visible()


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_the_bar_fits_any_screen(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    page.goto("/")
    is_live(page)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    for name in (START, ENGLISH.text("site.log_out")):
        expect(page.get_by_role("navigation").get_by_text(name)).to_be_in_viewport()


def test_who_cannot_sign_in_yet_sees_no_link_to_the_notes(windows: Windows) -> None:
    page = windows.open().new_page()
    page.goto("/login")
    expect(page.get_by_role("link", name=START)).to_have_count(0)


def test_a_body_that_is_too_large_is_refused_in_words(page: Page) -> None:
    for size in (200_000, 20_000_000):
        told = page.evaluate(
            """async (size) => {
              const answer = await fetch('/api/login', {
                method: 'POST', body: 'x'.repeat(size),
                headers: {'Content-Type': 'application/json'},
              });
              return [answer.status, (await answer.json()).type];
            }""",
            size,
        )
        assert told == [413, "/problems/body-too-large"]


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> Iterator[CurfewServer]:
    """The application of the README."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with CurfewServer(script=ROOT / "examples/notes.py") as running:
        yield running


def test_the_address_bar_is_told_why_it_does_not_open_the_readmes_handler(
    notes: CurfewServer, browser: Browser
) -> None:
    windows = Windows(browser, notes.url)
    page = windows.open().new_page()
    sign_up(page, "grace", PASSWORD)
    answer = page.goto("/api/note")
    assert answer is not None
    assert answer.status == 403
    expect(page.locator("body")).to_contain_text("This address answers programs")
    expect(page.locator("body")).to_contain_text("destinations = FOR_PEOPLE")
    windows.close()
