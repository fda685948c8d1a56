"""Take the pictures of the examples: `python -m tests.support.pictures.examples`."""

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from curfew.testing import Server
from tests.support.browsers.chromium import IPHONE, Windows, chromium, sign_in, sign_up
from tests.support.browsers.seen import is_live
from tests.support.clients.client import PASSWORD
from tests.support.pictures.contact_sheets import compose, pictures
from tests.support.pictures.screenshots import MAC
from tests.support.pictures.tour import Stop
from tests.support.servers.server import ROOT, CurfewServer

EXAMPLES: Final = ROOT / "examples"
SCREENSHOTS: Final = EXAMPLES / "huddle" / "screenshots"
STATES: Final = (
    "visitor", "empty", "chat", "lobby", "people", "removed-notice", "removed", "receipt", "ended",
)  # fmt: skip
STAYS: Final = "**/login?reason=*"
"""Where a page goes whose session has ended; it is kept while it is looked at."""


@contextmanager
def huddle(*, rooms: int = 200, **settings: str) -> Iterator[Server]:
    """The example, with a database of its own, and room for so many rooms."""
    with TemporaryDirectory(prefix="curfew-huddle-") as folder:
        own = {
            "HUDDLE_DATABASE": f"sqlite+aiosqlite:///{folder}/huddle.sqlite",
            "HUDDLE_ROOM_LIMIT": f"{rooms}",
        }
        name = "examples.huddle:application"
        with Server(name, folder=ROOT, environment=own, **settings) as server:
            yield server


def visit(server: Server, windows: Windows, **options: Any) -> Iterator[Stop]:
    """An evening in a room: ada administers it, bea and cleo talk, and cleo has to go.

    Args:
        server: of the example.
        windows: where to open them.
        options: of the windows that are shown.
    """
    page = windows.open(**options).new_page()
    page.goto("/")
    yield "visitor", page
    sign_up(page, "ada", PASSWORD)
    server.command("user", "admin", "ada")
    yield from _in_a_room(page, windows, options)


def _in_a_room(page: Page, windows: Windows, options: dict[str, Any]) -> Iterator[Stop]:
    page.get_by_role("link", name="Rooms").click()
    for name in ("Kitchen", "Garden"):
        page.goto("/")
        page.get_by_label("Name of the room").fill(name)
        page.get_by_role("button", name="Open").click()
        is_live(page)
    yield "empty", page
    address = page.url
    bea, cleo = (windows.open(**options).new_page() for _ in range(2))
    for tab, name in ((bea, "bea"), (cleo, "cleo")):
        sign_up(tab, name, PASSWORD)
        tab.goto(address)
        is_live(tab)
    second = bea.context.new_page()
    second.goto(address)
    is_live(second)
    say(bea, "Who waters the tomatoes this week?")
    say(cleo, "Not me. BUY CHEAP TOMATOES, https://example.org!")
    say(page, "I will, on Tuesday and on Friday. Cleo, this is not the place for that.")
    page.reload()
    expect(page.locator("#people")).to_contain_text("bea in 2 tabs")
    expect(page.locator("#lines li")).to_have_count(4)
    is_live(page)
    yield "chat", page
    page.goto("/")
    page.reload()  # once its former self has left the room
    is_live(page)
    yield "lobby", page
    yield from _administer(page, address, cleo)


def _administer(page: Page, address: str, cleo: Page) -> Iterator[Stop]:
    page.goto(address)
    page.get_by_role("link", name="People").click()
    is_live(page)
    yield "people", page
    page.get_by_role("button", name="Remove from the room (cleo)").click()
    expect(page.locator("main .notice")).to_contain_text("cleo is out of the room.")
    expect(cleo.locator("#out")).to_be_visible()
    is_live(page)
    yield "removed-notice", page
    yield "removed", cleo
    cleo.context.route(STAYS, lambda route: route.fulfill(status=204))
    page.get_by_role("button", name="End all sessions (cleo)").click()
    expect(page.locator("main .notice")).to_contain_text("1 session ended: 1 tab closed")
    is_live(page)
    yield "receipt", page
    expect(cleo.locator("#ended")).to_contain_text("An administrator ended this session.")
    yield "ended", cleo


def say(page: Page, words: str) -> None:
    """Say something in a room, and see that it was said."""
    before = page.locator("#lines li").count()
    page.get_by_label("Say something").fill(words)
    page.get_by_role("button", name="Say it").click()
    expect(page.locator("#lines li")).to_have_count(before + 1)


def notes(windows: Windows) -> Page:
    """The account page of the application with ten lines, in the first of two browsers."""
    page, phone = (
        windows.open(user_agent=each, reduced_motion="reduce").new_page() for each in (MAC, IPHONE)
    )
    sign_up(page, "ada", PASSWORD)
    sign_in(phone, "ada", PASSWORD)
    for tab in (phone, page):
        tab.goto("/account")
        is_live(tab)
    expect(page.get_by_text("1 open tab")).to_have_count(2)
    return page


def main() -> None:
    """Take them all."""
    look = {"reduced_motion": "reduce"}
    with chromium() as browser:
        with huddle(processes="2", reauthentication_window="1h") as server:
            windows = Windows(browser, server.url)
            for name, page in visit(server, windows, **look):
                compose(browser, SCREENSHOTS / f"{name}.webp", pictures(page))
            windows.close()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(ROOT))  # as `python -m` in the project's folder does
            with CurfewServer(script=EXAMPLES / "notes.py") as server:
                page = notes(Windows(browser, server.url))
                picture = EXAMPLES / "screenshots" / "notes.webp"
                compose(browser, picture, pictures(page, whole=False))


if __name__ == "__main__":
    main()
