"""Passkeys in Chromium, with its virtual authenticator: made, used, removed, copied."""

import re
from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from handlers.languages.texts import ENGLISH
from tests.support.browsers.chromium import Windows, sign_up
from tests.support.browsers.seen import is_live
from tests.support.browsers.virtual_authenticator import VirtualAuthenticator
from tests.support.clients.client import PASSWORD
from tests.support.servers.server import CurfewServer

pytestmark = pytest.mark.browser

HOME = "/account/security"


@pytest.fixture
def windows(server: CurfewServer, browser: Browser) -> Iterator[Windows]:
    """Windows on the server's name: browsers take no passkeys for an address."""
    windows = Windows(browser, server.url.replace("127.0.0.1", "localhost"))
    yield windows
    windows.close()
    assert windows.faults == []
    assert " ERROR " not in server.log
    assert "Traceback" not in server.log


@pytest.fixture
def page(windows: Windows, username: str) -> Page:
    """A tab of somebody new, signed in, on the page of second factors."""
    page = windows.open().new_page()
    sign_up(page, username, PASSWORD)
    page.get_by_role("link", name="Set up and change").click()
    page.wait_for_url(f"**{HOME}")
    return page


@pytest.fixture
def device(page: Page) -> VirtualAuthenticator:
    """The page's authenticator, with a passkey of its user."""
    device = VirtualAuthenticator(page)
    page.get_by_label("Name of the new passkey").fill("laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("status").filter(has_text="was added")).to_be_visible()
    expect(page.locator("#recovery-codes li")).to_have_count(10)
    expect(page.locator("#passkeys li")).to_contain_text("laptop")
    assert len(device.credentials) == 1
    return device


def log_out(page: Page) -> None:
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login?reason=logout*")


def give_password(page: Page, username: str) -> None:
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def give_password_and_code(page: Page, username: str, code: str) -> None:
    give_password(page, username)
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Log in").click()


def use_passkey(page: Page) -> None:
    page.get_by_role("button", name="Use a passkey").click()


def test_a_passkey_alone_signs_in_and_a_copy_of_it_is_refused(
    page: Page, device: VirtualAuthenticator, username: str
) -> None:
    log_out(page)
    use_passkey(page)
    page.wait_for_url("**/account")
    expect(page.get_by_role("link", name=username)).to_be_visible()
    log_out(page)
    device.replace_by_copy(sign_count=0)
    use_passkey(page)
    expect(page.get_by_role("alert").filter(has_text="opens no account")).to_be_visible()


@pytest.mark.proves("6.3.3")
@pytest.mark.usefixtures("device")
def test_after_the_password_a_passkey_is_asked_for(page: Page, username: str) -> None:
    log_out(page)
    give_password(page, username)
    expect(page.get_by_role("heading", level=1)).to_have_text("One more step")
    page.goto("/account")
    expect(page).to_have_url(re.compile("/login"))  # the password let nobody in
    give_password(page, username)
    use_passkey(page)
    page.wait_for_url("**/account")


def test_a_recovery_code_stands_in_for_a_passkey_once(
    page: Page, device: VirtualAuthenticator, username: str
) -> None:
    code = page.locator("#recovery-codes li").first.inner_text()
    device.refuse()
    log_out(page)
    give_password_and_code(page, username, code)
    page.wait_for_url("**/account")
    log_out(page)
    give_password_and_code(page, username, code)
    expect(page.get_by_role("alert").filter(has_text="used before")).to_be_visible()


def test_a_removed_passkey_is_refused(page: Page, device: VirtualAuthenticator) -> None:
    page.get_by_role("button", name="Remove laptop").click()
    expect(page.get_by_role("status").filter(has_text="was removed")).to_be_visible()
    assert len(device.credentials) == 1  # the authenticator still has it
    log_out(page)
    use_passkey(page)
    expect(page.get_by_role("alert").filter(has_text="opens no account")).to_be_visible()


def test_who_is_not_verified_is_told_and_nothing_is_sent(
    page: Page, device: VirtualAuthenticator
) -> None:
    log_out(page)
    device.refuse()
    use_passkey(page)
    expect(page.get_by_role("alert").filter(has_text="cancelled")).to_be_visible()
    expect(page.get_by_role("button", name="Use a passkey")).to_be_enabled()
    expect(page).to_have_url(re.compile("/login"))


@pytest.mark.usefixtures("device")
def test_a_passkey_proves_it_again(page: Page) -> None:
    page.goto(f"/reauthenticate?next={HOME}")
    use_passkey(page)
    page.wait_for_url(f"**{HOME}")


@pytest.mark.usefixtures("device")
def test_when_it_was_added_is_told_in_words_which_keep_themselves_true(page: Page) -> None:
    is_live(page)
    expect(page.locator("#passkeys time")).to_have_text(ENGLISH.text("ago.now"))
    page.clock.install()
    page.reload()
    is_live(page)
    page.clock.fast_forward("05:10")
    expect(page.locator("#passkeys time")).to_have_text(ENGLISH.text("ago.minutes", count=5))


def test_an_app_is_set_up_from_the_drawing_of_its_key(page: Page) -> None:
    page.get_by_role("button", name="Set up an app").click()
    drawing = page.get_by_role("img", name="QR code")
    box = drawing.bounding_box()
    assert box is not None
    assert box["width"] > 150
    assert abs(box["width"] - box["height"]) < 2
    secret = page.locator("#totp-secret").inner_text().replace(" ", "")
    page.get_by_label("The six digits").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Turn it on").click()
    expect(page.locator("#recovery-codes li")).to_have_count(10)
    expect(page.get_by_text("Two-step sign-in is on")).to_be_visible()
