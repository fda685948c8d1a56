"""What helps with a form while it is filled in, and what is there without a script as well."""

import re
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.support.browsers.chromium import Windows, sign_up
from tests.support.browsers.seen import is_live
from tests.support.clients.client import PASSWORD

pytestmark = pytest.mark.browser

NOTE_TYPE = """addEventListener('submit', () => {
  sessionStorage.as = document.querySelector('#password').type; })"""


def test_a_password_is_shown_judged_and_hidden_before_it_is_sent(
    windows: Windows, username: str
) -> None:
    page = windows.open().new_page()
    page.goto("/signup")
    field, told = page.locator("#password"), page.locator("#strength")
    expect(told).to_have_text(
        "All characters may be used, also spaces. A password that is easy to guess is refused."
    )
    page.get_by_label("Username").fill(username)
    for typed, words in (
        ("four more, ah", "2 characters more are needed."),
        (f"I am {username}, hello", "contains your username"),
        ("abcabcabcabcabcabc", "repeats itself"),
        (PASSWORD, "strong password"),
    ):
        field.fill(typed)
        expect(told).to_contain_text(words)
    page.get_by_role("button", name="Show", exact=True).click()
    expect(field).to_have_attribute("type", "text")
    page.evaluate(NOTE_TYPE)
    page.get_by_role("button", name="Create the account").click()
    page.wait_for_url("**/account")
    assert page.evaluate("sessionStorage.as") == "password"
    page.get_by_role("button", name="Show the passwords").click()
    for name in ("#current_password", "#new_password"):
        expect(page.locator(name)).to_have_attribute("type", "text")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_recovery_codes_are_copied_saved_printed_and_said_to_be_kept(
    windows: Windows, username: str, tmp_path: Path, *, scripts: bool
) -> None:
    window = windows.open(
        java_script_enabled=scripts, permissions=["clipboard-read", "clipboard-write"]
    )
    page = window.new_page()
    sign_up(page, username, PASSWORD)
    codes = set_up_an_app(page)
    assert len(codes) == 10
    if scripts:
        is_live(page)
        page.get_by_role("button", name="Copy").click()
        expect(page.locator("#codes-told")).to_have_text("Copied.")
        assert page.evaluate("navigator.clipboard.readText()").split() == codes
        with page.expect_download() as saving:
            page.get_by_role("button", name="Download").click()
        assert saving.value.suggested_filename == "recovery-codes.txt"
        saving.value.save_as(tmp_path / "codes")
        first, *saved = (tmp_path / "codes").read_text(encoding="utf-8").split("\n\n")
        assert username in first
        assert "".join(saved).split() == codes
        page.evaluate("print = () => { document.title = 'printed'; }")
        page.get_by_role("button", name="Print").click()
        assert page.title() == "printed"
        page.emulate_media(media="print")
        expect(page.locator("#recovery-codes")).to_be_visible()
        for name in ("header.site", "#kept-codes", "form[action='/account/security/totp/remove']"):
            expect(page.locator(name)).to_be_hidden()
        page.emulate_media(media="screen")
    else:
        expect(page.locator("#copy-codes, #download-codes, #print-codes")).to_have_count(3)
        expect(page.get_by_role("button", name=re.compile("Copy|Download|Print"))).to_have_count(0)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.locator("#recovery-codes")).to_have_count(0)
    expect(page.get_by_text("10 codes are left.")).to_be_visible()


def set_up_an_app(page: Page) -> list[str]:
    """Set up an authenticator app; return the recovery codes that the page shows then."""
    page.goto("/account/security")
    page.locator("form[action='/account/security/totp'] button").click()
    secret = page.locator("#totp-secret").inner_text().replace(" ", "")
    page.get_by_label("The six digits that the app shows now").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Turn it on").click()
    return page.locator("#recovery-codes .secret").all_inner_texts()


def test_language_and_colours_are_switched_without_scripts_whatever_the_device_wants(
    windows: Windows,
) -> None:
    page = windows.open(java_script_enabled=False, color_scheme="dark", locale="en").new_page()
    page.goto("/login")
    body = page.locator("body")
    expect(body).to_have_css("background-color", "rgb(17, 19, 31)")
    page.get_by_role("button", name="Light", exact=True).click()
    expect(body).to_have_css("background-color", "rgb(246, 241, 232)")
    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_role("heading", name="Anmelden")).to_be_visible()
    expect(page.get_by_role("button", name="Hell", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(body).to_have_css("background-color", "rgb(246, 241, 232)")


def test_the_buttons_of_the_warning_stand_beside_each_other_in_german(
    windows: Windows, username: str
) -> None:
    page = windows.open(locale="de-DE", viewport={"width": 1080, "height": 720}).new_page()
    page.goto("/signup")
    page.locator("#username").fill(username)
    page.locator("#password").fill(PASSWORD)
    page.get_by_role("button", name="Konto anlegen").click()
    page.wait_for_url("**/account")
    page.evaluate("document.querySelector('#expiring').showModal()")
    tops = page.evaluate(
        "[...document.querySelectorAll('#expiring button')].map((each) => each.offsetTop)"
    )
    assert len(tops) == 2
    assert len(set(tops)) == 1


CUT = """() => [...document.querySelectorAll('button, input[type=button]')].filter((each) => {
  if (!each.offsetWidth) return false;
  const free = each.cloneNode(true);
  free.style.cssText = 'position: fixed; width: max-content; min-width: 0; max-width: none';
  each.parentElement.append(free);
  const [word, line] = [free.offsetWidth, free.offsetHeight];
  free.remove();
  const breaks = each.localName === 'button' && each.offsetHeight > 1.5 * line;
  return each.offsetWidth < word - 1 && !breaks;
}).map((each) => each.value || each.innerText)"""
"""The words of the buttons that are narrower than their words, and have not broken them."""


@pytest.mark.parametrize("locale", ["en", "de-DE"])
@pytest.mark.parametrize("width", [320, 1280])
def test_no_button_cuts_its_word_off(windows: Windows, locale: str, width: int) -> None:
    page = windows.open(locale=locale, viewport={"width": width, "height": 720}).new_page()
    for path in ("/login", "/signup"):
        page.goto(path)
        shown = page.locator(".reveal")
        expect(shown).to_be_visible()
        assert page.evaluate(CUT) == []
        shown.click()
        assert page.evaluate(CUT) == []
