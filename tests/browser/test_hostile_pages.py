"""What another page, a script and a browser's own name may not do, in a real Chromium."""

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browsers.chromium import Windows, sign_in, sign_up
from tests.support.browsers.seen import is_live
from tests.support.clients.client import COOKIE, PASSWORD
from tests.support.servers.server import CurfewServer

pytestmark = pytest.mark.browser

MARKUP = "<img src=x onerror=\"document.title='ran'\"><svg onload=\"document.title='ran'\">"
REFUSED_FRAME = "chrome-error://chromewebdata/"
FRAMED = ("/", "/login", "/signup", "/account", "/logout", "/nothing", "/api/session")


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder, and says nothing of it."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Another site, on another port: its address and its folder."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path)) as site:
        thread = Thread(target=site.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{site.server_address[1]}", tmp_path
        site.shutdown()
        thread.join()


@pytest.mark.proves("A80", "3.4.6")
def test_no_page_is_shown_in_a_frame_of_another_site(
    server: CurfewServer, browser: Browser, username: str, elsewhere: tuple[str, Path]
) -> None:
    url, folder = elsewhere
    frames = "".join(f'<iframe src="{server.url}{path}"></iframe>' for path in FRAMED)
    (folder / "own.html").write_text("<p>Its own</p>", "utf-8")
    (folder / "trap.html").write_text(f'{frames}<iframe src="own.html"></iframe>', "utf-8")
    window = browser.new_context(base_url=server.url)
    page = window.new_page()
    sign_up(page, username, PASSWORD)
    page.goto(f"{url}/trap.html")
    framed = [each.url for each in page.frames if each != page.main_frame]
    assert sorted(framed) == sorted([REFUSED_FRAME] * len(FRAMED) + [f"{url}/own.html"])
    assert not any(username in each.content() for each in page.frames)
    window.close()


@pytest.mark.proves("A82", "3.2.2", "1.2.1")
def test_markup_in_place_of_a_browsers_name_runs_nowhere(
    windows: Windows, page: Page, username: str
) -> None:
    hostile = windows.open(user_agent=MARKUP).new_page()
    sign_in(hostile, username, PASSWORD)
    for each in (hostile, page):
        each.goto("/account")
        is_live(each)
        assert each.title() != "ran"
        assert each.locator("img[src=x], svg[onload]").count() == 0
    # that nothing was tried either, `windows` sees: the policy would have refused it aloud


@pytest.mark.proves("3.3.3", "3.3.4", "A10")
def test_no_script_can_write_or_read_the_cookie(page: Page) -> None:
    def jar() -> dict[str, str]:
        return {each["name"]: each["value"] for each in page.context.cookies()}

    before = jar()
    assert set(before) == {COOKIE}
    page.evaluate("document.cookie = 'own=written; path=/'")
    for name in (COOKIE, COOKIE.lower(), COOKIE.upper()):
        for attributes in ("; path=/", "; path=/; secure", "; path=/; secure; max-age=0"):
            page.evaluate("text => { document.cookie = text }", f"{name}=planted{attributes}")
    assert jar() == before | {"own": "written"}
    assert page.evaluate("document.cookie") == "own=written"
    page.goto("/account")
    is_live(page)
