"""A tour through two-step sign-in, in a real browser; the password must stay recent meanwhile."""

from collections.abc import Iterator
from typing import Any, Final

import pyotp
from playwright.sync_api import Page, expect

from tests.support.browsers.chromium import Windows, sign_up
from tests.support.browsers.seen import is_live, log_out
from tests.support.browsers.virtual_authenticator import VirtualAuthenticator
from tests.support.clients.client import PASSWORD
from tests.support.pictures.tour import Stop
from tests.support.servers.server import CurfewServer

USERNAME: Final = "grace"
HOME: Final = "/account/security"
STATES: Final = (
    "security", "passkey-cancelled", "totp-setup", "totp-setup-refused", "recovery-codes",
    "passkeys", "confirm-second-factor", "passkey-removed", "passkey-refused", "second-factor",
    "second-factor-refused", "totp-removed",
)  # fmt: skip


def two_steps(server: CurfewServer, windows: Windows, **options: Any) -> Iterator[Stop]:  # noqa: ARG001
    """Setting an app and a passkey up, signing in with them, and removing them.

    Args:
        server: serves under a name: browsers take no passkeys for an address.
        windows: where to open them.
        options: of the window that is shown, as of `new_context`.
    """
    page = windows.open(**options).new_page()
    device = VirtualAuthenticator(page)
    sign_up(page, USERNAME, PASSWORD)
    page.goto(HOME)
    _is_ready(page)
    yield "security", page
    device.refuse()
    _add_passkey(page)
    expect(page.locator("[data-passkey] .error")).to_be_visible()
    yield "passkey-cancelled", page
    device.accept()
    yield from _app(page)
    code = page.locator("#recovery-codes li").first.inner_text()
    yield from _passkey(page)
    yield from _signing_in(page, code)


def _app(page: Page) -> Iterator[Stop]:
    page.locator(f"form[action='{HOME}/totp'] button").click()
    secret = page.locator("#totp-secret").inner_text().replace(" ", "")
    is_live(page)
    yield "totp-setup", page
    _give_code(page, "000000")
    expect(page.get_by_role("alert").first).to_be_visible()
    is_live(page)
    yield "totp-setup-refused", page
    _give_code(page, pyotp.TOTP(secret).now())
    expect(page.locator("#recovery-codes li")).to_have_count(10)
    _is_ready(page)
    yield "recovery-codes", page


def _passkey(page: Page) -> Iterator[Stop]:
    _add_passkey(page)
    expect(page.locator("#passkeys li")).to_have_count(1)
    _is_ready(page)
    yield "passkeys", page
    page.goto(f"/reauthenticate?next={HOME}")
    expect(page.locator("#code")).to_be_visible()
    _is_ready(page)
    yield "confirm-second-factor", page
    page.goto(HOME)
    page.locator(f"form[action='{HOME}/passkeys/remove'] button").click()
    expect(page.locator("main .notice")).to_be_visible()
    _is_ready(page)
    yield "passkey-removed", page


def _signing_in(page: Page, code: str) -> Iterator[Stop]:
    log_out(page)
    page.wait_for_url("**/login?reason=logout*")
    page.locator("[data-passkey] button").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    yield "passkey-refused", page  # the device still has it
    page.goto("/login")
    page.locator("#username").fill(USERNAME)
    page.locator("#password").fill(PASSWORD)
    page.locator("form[action='/login'] button").click()
    expect(page.locator("form[action='/login/second-factor']")).to_be_visible()
    yield "second-factor", page
    _give_code(page, "000000")
    expect(page.get_by_role("alert").first).to_be_visible()
    yield "second-factor-refused", page
    _give_code(page, code)
    page.wait_for_url("**/account")
    page.goto(HOME)
    page.locator(f"form[action='{HOME}/totp/remove'] button").click()
    expect(page.locator("main .notice")).to_be_visible()
    _is_ready(page)
    yield "totp-removed", page


def _is_ready(page: Page) -> None:
    """The page is live, and offers passkeys, which it does by a script."""
    is_live(page)
    expect(page.locator("[data-passkey]")).to_be_visible()


def _add_passkey(page: Page) -> None:
    page.locator("#passkey-name").fill("Laptop")
    page.locator("[data-passkey='create'] button").click()


def _give_code(page: Page, code: str) -> None:
    page.locator("#code").fill(code)
    page.locator("main form:has(#code) button").click()
