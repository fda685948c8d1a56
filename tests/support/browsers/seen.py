"""What a person sees on a page, by what stays when words change: ids, states, reason words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from urllib.parse import quote, urlsplit

from playwright.sync_api import Page, Route, expect

from handlers.languages.texts import ENGLISH
from server.core.reasons import Reason

COMING_BACK_MS = 30_000
"""Longest wait of a page before it tries again, and what a start of the server takes."""


def is_in_state(page: Page, state: str, timeout: float | None = None) -> None:
    """The page says that its connection is so: `live`, `hold`, `offline`, `ended`."""
    expect(page.locator("#connection")).to_have_attribute("data-state", state, timeout=timeout)


def is_live(page: Page, timeout: float | None = None) -> None:
    """The page has its live connection."""
    is_in_state(page, "live", timeout)


@contextmanager
def ended(*pages: Page, reason: Reason, timeout: float | None = None) -> Iterator[None]:
    """What happens inside ends the session of all these pages: each says so at once, by itself.

    A page leaves by itself, too, after a moment to read; it is kept until all were looked at. An
    answer without content keeps it: while a page waits for an answer nobody can look at it.
    """
    leaving: list[Page] = []
    left_for: list[str] = []

    def keep(route: Route) -> None:
        leaving.append(route.request.frame.page)
        left_for.append(route.request.url)
        route.fulfill(status=HTTPStatus.NO_CONTENT)

    for page in pages:
        page.route("**/login?reason=*", keep)
    yield
    for page in pages:
        _is_told(page, reason, timeout)
    for page in pages:
        page.unroute("**/login?reason=*")
    for page, url in zip(leaving, left_for, strict=True):
        page.evaluate("url => location.replace(url)", url)


def _is_told(page: Page, reason: Reason, timeout: float | None) -> None:
    """The page says why the session ended, and shows nothing private any more."""
    way_out = page.locator("#ended").get_by_role("link")
    back = quote(urlsplit(page.url).path, safe="")
    href = f"/login?reason={reason}&next={back}"
    expect(way_out).to_have_attribute("href", href, timeout=timeout)
    expect(page.locator("#ended")).to_contain_text(ENGLISH.text(f"reason.{reason}"))
    expect(page.locator("[data-private]")).to_have_count(0)
    is_in_state(page, "ended")


def are_shown_out(*pages: Page, reason: Reason) -> None:
    """The pages have gone to the login page, which says why once more."""
    for page in pages:
        page.wait_for_url(f"**/login?reason={reason}*")
        expect(page.locator("#reason")).to_have_attribute("data-reason", reason)


def is_signed_in(page: Page, username: str) -> None:
    """The account page is served to a session of this person, and its connection works."""
    page.goto("/account")
    expect(page.locator("body")).to_have_attribute("data-user", username)
    is_live(page)


def is_login_page(page: Page) -> None:
    """The page asks for name and password, and shows nothing private."""
    expect(page).to_have_url(re.compile(r"/login"))
    expect(page.locator("form[action='/login'] #password")).to_be_visible()
    expect(page.locator("[data-private]")).to_have_count(0)


def has_sessions(page: Page, number: int) -> None:
    """The account page lists so many sessions."""
    expect(page.locator("#sessions li")).to_have_count(number)


def has_tabs(page: Page, sid: str, number: int) -> None:
    """The account page counts so many open tabs of a session."""
    card = page.locator(f"#sessions li[data-session='{sid}']")
    expect(card).to_contain_text(ENGLISH.text("sessions.tabs", count=number))


def sid_of(page: Page) -> str:
    """The session that the page belongs to."""
    return page.locator("body").get_attribute("data-session") or ""


def change_password(page: Page, old: str, new: str) -> None:
    """By the form of the account page, ending all other sessions."""
    page.locator("#current_password").fill(old)
    page.locator("#new_password").fill(new)
    page.locator("#password-form button[class=primary]").click()


def log_out(page: Page) -> None:
    """By the button of the page's head."""
    page.locator("#logout").click()
