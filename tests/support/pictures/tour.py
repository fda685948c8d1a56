"""A tour through every page in every state that a person can meet, in a real browser."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from playwright.sync_api import Page, expect

from handlers.languages.texts import ENGLISH
from handlers.pages.cookie_check import path_after_sign_in
from handlers.pages.receipts import describe_receipt, plain_words
from server.core.receipt import Durability, NodeCounts, Receipt
from tests.support.browsers.chromium import IPHONE, Windows, sign_in, sign_up
from tests.support.browsers.seen import is_live
from tests.support.clients.client import PASSWORD
from tests.support.running.processes import processes_of
from tests.support.servers.server import CurfewServer

USERNAME: Final = "ada"

STATES: Final = (
    "start", "login", "login-after-timeout", "signup", "logout-signed-out", "no-cookie",
    "not-found", "login-refused", "signup-refused", "login-signed-in-elsewhere", "account",
    "security-at-a-number", "logout", "notes-empty", "notes", "error", "account-sign-in-elsewhere",
    "account-several", "confirm", "confirm-refused", "receipt", "receipt-bounded",
    "receipt-pending", "password-refused", "ended", "limited", "held", "unavailable", "offline",
)  # fmt: skip
SAY: Final = """(notice, told) => notice.replaceChildren(...told.map((words) =>
  Object.assign(document.createElement('p'), { textContent: words })))"""

Options = dict[str, Any]
Stop = tuple[str, Page]
"""The state's name, and a page that is in it until the tour goes on."""


def tour(server: CurfewServer, windows: Windows, **options: Any) -> Iterator[Stop]:
    """Every page in every state. The server is down when it is over.

    Args:
        server: notices an outage soon, and finds every password stale.
        windows: where to open them.
        options: of the window that is shown, as of `new_context`.
    """
    page = windows.open(**options).new_page()
    yield from _as_a_stranger(page)
    yield from _signing_up(page)
    yield from _signed_in(page)
    yield from _with_another_device(page, windows)
    yield from _at_the_end(page, windows, options)
    yield from _in_trouble(page, server)


def _as_a_stranger(page: Page) -> Iterator[Stop]:
    for name, path in (
        ("start", "/"),
        ("login", "/login"),
        ("login-after-timeout", "/login?reason=idle_timeout"),
        ("signup", "/signup"),
        ("logout-signed-out", "/logout"),
        ("no-cookie", path_after_sign_in("/account")),
        ("not-found", "/nowhere"),
    ):
        page.goto(path)
        yield name, page
    page.goto("/login")
    page.get_by_label("Username").fill("nobody")
    page.get_by_label("Password").fill("not the right one, sorry")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    yield "login-refused", page
    page.goto("/signup")
    page.get_by_label("Username").fill("a b")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_role("alert")).to_be_visible()
    yield "signup-refused", page


def _signing_up(page: Page) -> Iterator[Stop]:
    waiting = page.context.new_page()
    waiting.goto("/login")
    waiting.get_by_label("Username").fill("half a na")
    sign_up(page, USERNAME, PASSWORD)
    expect(waiting.locator("#elsewhere")).not_to_be_empty()
    yield "login-signed-in-elsewhere", waiting
    waiting.close()


def _signed_in(page: Page) -> Iterator[Stop]:
    is_live(page)
    yield "account", page
    page.goto("/account/security")
    is_live(page)
    yield "security-at-a-number", page
    page.goto("/logout")
    is_live(page)
    yield "logout", page
    page.goto("/")
    is_live(page)
    yield "notes-empty", page
    for note in ("Lights out at ten.", "And the cat?"):
        page.get_by_label("Your note").fill(note)
        page.get_by_role("button", name="Send").click()
    expect(page.locator("#notes li")).to_have_count(2)
    yield "notes", page
    page.goto("/logout")
    page.locator("main [name=csrf_token]").evaluate("field => { field.value = 'old'; }")
    page.locator("main").get_by_role("button", name="Log out").click()
    expect(page.locator("[data-status='403']")).to_be_visible()
    yield "error", page


def _with_another_device(page: Page, windows: Windows) -> Iterator[Stop]:
    page.goto("/account")
    is_live(page)
    for count in (2, 3):
        other = windows.open(user_agent=IPHONE).new_page()
        sign_in(other, USERNAME, PASSWORD)
        expect(page.locator("#sessions li")).to_have_count(count)
    expect(page.locator("#news")).to_contain_text("Safari on iPhone")
    yield "account-sign-in-elsewhere", page
    page.reload()
    is_live(page)
    yield "account-several", page
    page.get_by_role("button", name="End the session on").first.click()
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    is_live(page)
    yield "confirm", page
    for password, name, kind in (
        ("not the right one, sorry", "confirm-refused", "error"),
        (PASSWORD, "receipt", "notice"),
    ):
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Continue").click()
        expect(page.locator(f"main > [data-private] .{kind}")).to_be_visible()
        is_live(page)
        yield name, page
    yield from _receipts(page)
    page.get_by_label("Current password").fill("not the right one, sorry")
    page.get_by_label("New password").fill(PASSWORD[::-1])
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("The password is wrong.")).to_be_visible()
    is_live(page)
    yield "password-refused", page


def _receipts(page: Page) -> Iterator[Stop]:
    """What is told when a server cannot be reached; the words alone, no server is cut off."""
    for name, nodes in (
        ("receipt-bounded", NodeCounts(acked=1, lease_expired=1)),
        ("receipt-pending", NodeCounts(acked=1, waiting=1)),
    ):
        receipt = Receipt("", nodes.state, 1, 2, nodes, Durability.FSYNC, 1_004.0)
        details = describe_receipt(ENGLISH, receipt, timedelta(seconds=5))
        words = [*plain_words(ENGLISH, receipt), *details]
        page.locator("main > [data-private] .notice").evaluate(SAY, words)
        yield name, page


def _at_the_end(page: Page, windows: Windows, options: Options) -> Iterator[Stop]:
    """The shown window stays signed in: a tab of another one is looked at."""
    other = windows.open(**options).new_page()
    sign_in(other, USERNAME, PASSWORD)
    is_live(other)
    # Answered with no content, so that it stays while it is looked at.
    other.route(re.compile("/login"), lambda route: route.fulfill(status=204))
    page.goto("/account")
    page.get_by_role("button", name="End all others").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    expect(other.locator("#ended")).to_contain_text("ended")
    yield "ended", other
    other.close()


def _in_trouble(page: Page, server: CurfewServer) -> Iterator[Stop]:
    blocked = page.context.new_page()
    blocked.route_web_socket(re.compile("/ws"), lambda socket: socket.close())
    blocked.goto("/")
    expect(blocked.locator("#connection")).to_have_attribute("data-state", "limited")
    yield "limited", blocked
    blocked.close()
    page.goto("/account")
    is_live(page)
    with frozen_store(server):
        expect(page.locator("#connection")).to_have_attribute("data-state", "hold")
        yield "held", page
        second = page.context.new_page()
        second.goto("/account")
        expect(second.locator("[data-status='503']")).to_be_visible()
        yield "unavailable", second
        second.close()
    is_live(page)
    server.stop()
    expect(page.locator("#connection")).to_have_attribute("data-state", "offline")
    yield "offline", page


@contextmanager
def frozen_store(server: CurfewServer) -> Iterator[None]:
    """The store does not answer meanwhile."""
    (valkey,) = processes_of(server.data_dir, "valkey-server")
    os.kill(valkey, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(valkey, signal.SIGCONT)
