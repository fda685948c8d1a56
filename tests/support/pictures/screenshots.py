"""Take the pictures in `docs/images`: `python -m tests.support.pictures.screenshots`."""

import base64
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page, expect

from tests.support.browsers.chromium import IPHONE, Windows, chromium, sign_in, sign_up
from tests.support.browsers.seen import is_live
from tests.support.clients.client import PASSWORD
from tests.support.servers.server import CurfewServer

IMAGES: Final = Path(__file__).parents[3] / "docs" / "images"
USERNAME: Final = "ada"
SCALE: Final = 2
DESKTOP: Final = {"width": 1080, "height": 720}
TAB: Final = {"width": 620, "height": 640}
PHONE: Final = {"width": 390, "height": 780}

FIREFOX: Final = "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
MAC: Final = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.5 Safari/605.1.15"
)

SIDE_BY_SIDE: Final = """
<!doctype html>
<meta charset="utf-8">
<style>
  body {{ display: flex; gap: 28px; margin: 0; padding: 32px; background: #e9e4da;
         font: 15px/1 system-ui, sans-serif; color: #4a4860; width: max-content; }}
  figure {{ margin: 0; border-radius: 12px; overflow: hidden; background: #d5cec1;
           box-shadow: 0 2px 4px rgb(32 34 58 / 12%), 0 12px 36px rgb(32 34 58 / 16%); }}
  figcaption {{ display: flex; align-items: center; gap: 8px; padding: 10px 14px 0; }}
  figcaption i {{ width: 11px; height: 11px; border-radius: 50%; background: #b9b1a2; }}
  figcaption span {{ margin-left: 10px; padding: 11px 20px; border-radius: 9px 9px 0 0;
                     background: #1c1e3d; color: #fbefe0; }}
  img {{ display: block; width: {width}px; }}
</style>
{figures}
"""
FIGURE: Final = (
    "<figure><figcaption><i></i><i></i><i></i><span>{title}</span></figcaption>"
    '<img src="data:image/png;base64,{image}"></figure>'
)


def main() -> None:
    """Take them all."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with CurfewServer() as server, chromium() as browser:
        windows = Windows(browser, server.url)
        take_live_logout(windows, browser)
        for scheme, suffix in (("light", ""), ("dark", "-dark")):
            take_pages(windows, scheme, suffix)
        windows.close()
        assert windows.faults == []


def take_live_logout(windows: Windows, browser: Browser) -> None:
    """Two tabs of one browser, a moment after a logout in the first."""
    window = windows.open(viewport=TAB, device_scale_factor=SCALE)
    first = window.new_page()
    sign_up(first, USERNAME, PASSWORD)
    second = window.new_page()
    for tab in (first, second):
        tab.goto("/")
        is_live(tab)
    # The second tab is to stay as it is while its picture is taken.
    second.route("**/login**", lambda route: route.fulfill(status=204))
    first.get_by_role("button", name="Log out").click()
    first.wait_for_url("**/login?reason=logout*")
    expect(second.locator("#ended")).to_contain_text("You logged out.")
    pictures = {
        "Tab 1: logged out here": first.screenshot(),
        "Tab 2: nobody clicked here": second.screenshot(),
    }
    window.close()
    compose(browser, pictures)


def compose(browser: Browser, pictures: dict[str, bytes]) -> None:
    """Put pictures side by side, each under its title."""
    figures = "".join(
        FIGURE.format(title=title, image=base64.b64encode(picture).decode())
        for title, picture in pictures.items()
    )
    page = browser.new_page(device_scale_factor=SCALE)
    page.set_content(SIDE_BY_SIDE.format(figures=figures, width=TAB["width"]))
    page.locator("body").screenshot(path=IMAGES / "live-logout.png")
    page.close()


def take_pages(windows: Windows, scheme: str, suffix: str) -> None:
    """The start page, the login page, and the account page on a desk and on a phone."""
    look = {"color_scheme": scheme, "device_scale_factor": SCALE}
    visitor = windows.open(viewport=DESKTOP, **look).new_page()
    for name, path in (("start", "/"), ("login", "/login")):
        visitor.goto(path)
        take(visitor, f"{name}{suffix}", whole=True)
    laptop = open_account(windows, user_agent=MAC, viewport=DESKTOP)
    desk = open_account(windows, user_agent=FIREFOX, viewport=DESKTOP, **look)
    phone = open_account(windows, user_agent=IPHONE, viewport=PHONE, **look)
    desk.reload()  # without the news that the phone has signed in
    for page in (desk, phone):
        expect(page.locator("#sessions li")).to_have_count(3)
        expect(page.get_by_text("1 open tab")).to_have_count(3)
    take(desk, f"account{suffix}")
    take(phone, f"account-phone{suffix}")
    laptop.get_by_role("button", name="End all, this one too").click()
    laptop.wait_for_url("**/login**")


def open_account(windows: Windows, **options: object) -> Page:
    """The account page in a browser of its own."""
    page = windows.open(**options).new_page()
    sign_in(page, USERNAME, PASSWORD)
    is_live(page)
    return page


def take(page: Page, name: str, *, whole: bool = False) -> None:
    """Take one picture."""
    page.screenshot(path=IMAGES / f"{name}.png", full_page=whole)


if __name__ == "__main__":
    main()
