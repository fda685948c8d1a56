"""A real Chromium, driven by Playwright: windows, and what went wrong in them."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    expect,
    sync_playwright,
)

from tests.support.secrets.leaks import SEARCH
from tests.support.secrets.listening import note_request

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APPS = ("Google Chrome", "Chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
)
PATIENCE_MS = 15_000
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)
UNANSWERED = ("Failed to load resource", "WebSocket connection to ")
"""How what the console says of requests begins."""


class Windows:
    """Browser windows, each with a cookie jar of its own; notes everything that goes wrong in them.

    Attributes:
        faults: errors of scripts, and whatever the content security policy refused.
    """

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._url = url
        self.faults: list[str] = []

    def open(self, **options: Any) -> BrowserContext:
        """A new window without cookies, as on another device; options as of `new_context`."""
        context = self._browser.new_context(base_url=self._url, **options)
        context.set_default_timeout(PATIENCE_MS)
        context.set_default_navigation_timeout(PATIENCE_MS)
        context.on("console", self._note_console)
        context.on("request", _note_request)
        context.on("page", _listen_to_sockets)
        context.on("weberror", lambda error: self.faults.append(f"uncaught: {error.error}"))
        return context

    def close(self) -> None:
        """Close all windows.

        What they show at the end is noted, if they can say it within the time limit of windows. The
        bodies of answers are not: asked for one that Chromium no longer has, Playwright may wait
        for ever. So it may with `content()` of a page that is on its way somewhere.
        """
        for context in self._browser.contexts:
            for page in context.pages:
                with suppress(Error):  # it was on its way somewhere
                    shown = page.locator(":root").evaluate("root => root.outerHTML")
                    SEARCH.answered(f"the page {page.url}", shown, "browser")
            for cookie in context.cookies():
                SEARCH.cookie(cookie.get("value", ""))
            context.close()

    def _note_console(self, message: ConsoleMessage) -> None:
        # A request that fails or is answered with an error is told on the console: no fault.
        if message.type in {"error", "warning"} and not message.text.startswith(UNANSWERED):
            self.faults.append(f"{message.type}: {message.text}")


def _note_request(request: Request) -> None:
    SEARCH.wrote("an address", request.url, "browser")
    note_request(SEARCH, request.post_data_buffer or b"")


def _listen_to_sockets(page: Page) -> None:
    page.on("websocket", lambda socket: socket.on("framereceived", _note_frame))


def _note_frame(payload: str | bytes) -> None:
    SEARCH.wrote("a frame to a browser", payload, "browser")


@contextmanager
def chromium(*flags: str, without: Sequence[str] = ()) -> Iterator[Browser]:
    """A running Chromium.

    Args:
        flags: further ones of its command line.
        without: those of Playwright's that are left out.
    """
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable(), args=[*FLAGS, *flags], ignore_default_args=list(without)
        )
        yield browser
        browser.close()


def executable() -> str:
    """The Chromium of this machine; `install-browsers.sh` looks in the same places."""
    folders = (Path("/Applications"), Path.home() / "Applications")
    apps = [folder / f"{app}.app/Contents/MacOS/{app}" for app in APPS for folder in folders]
    found = [path for name in NAMES if (path := shutil.which(name))]
    found += [str(app) for app in apps if app.exists()]
    assert found, "no Chromium: run tests/support/browsers/install-browsers.sh"
    return found[0]


def sign_up(page: Page, username: str, password: str) -> None:
    """Make an account by the form, and arrive on the account page."""
    SEARCH.password(password)
    _send_form(page, "/signup", username, password)
    page.wait_for_url("**/account")


def sign_in(page: Page, username: str, password: str) -> None:
    """Sign in by the form, and arrive on the account page."""
    _send_form(page, "/login", username, password)
    page.wait_for_url("**/account")


def fill_in(page: Page, username: str, password: str) -> None:
    """Fill in the form of the page that is open, and send it."""
    page.locator("main [name=username]").fill(username)
    page.locator("main [name=password]").fill(password)
    page.locator("main form button").click()


def _send_form(page: Page, path: str, username: str, password: str) -> None:
    page.goto(path)
    fill_in(page, username, password)
