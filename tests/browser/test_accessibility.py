"""Every page in every state: for eyes, ears and keys, light and dark, on a desk and at 320 px."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browsers.axe import violations
from tests.support.browsers.chromium import Windows
from tests.support.browsers.seen import is_live
from tests.support.pictures.tour import Stop
from tests.support.pictures.tours import TOURS, Tour

pytestmark = pytest.mark.browser

# Contrast depends on the colours and the rest on the width, so two looks see it all.
DESKTOP = {"width": 1280, "height": 800}
NARROW = {"width": 320, "height": 640}
"""As wide as 1280 at 400 % zoom (WCAG 2.2 1.4.10)."""
LOOKS = (("light", DESKTOP, "100%"), ("light", DESKTOP, "200%"), ("dark", NARROW, "100%"))
"""Colours, window, and size of the text (WCAG 2.2 1.4.4)."""

TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll('body *')]
    .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
    .map((each) => `wider than the window: ${each.outerHTML.slice(0, 100)}`)"""
STYLE = Path(__file__).parents[2] / "static" / "css" / "curfew.css"
LAST_DARK_COLOUR = 0.78
"""Where the sky of the start page is still rose; the orange below is for roofs."""
LOWEST_WORDS = """() => document.querySelector('.bell').getBoundingClientRect().bottom
  / document.querySelector('header').getBoundingClientRect().height"""
MOVING = """() => document.getAnimations().length + [...document.querySelectorAll('body *')]
  .filter((each) => parseFloat(getComputedStyle(each).transitionDuration) > 0).length"""


@pytest.mark.parametrize("tour", TOURS.values(), ids=TOURS)
def test_no_page_in_any_state_breaks_a_rule_or_scrolls_sideways(
    browser: Browser, tour: Tour
) -> None:
    broken = broken_rules(tour.stops(browser, reduced_motion="reduce"))
    assert not broken, "\n".join(broken)


def broken_rules(stops: Iterator[Stop]) -> list[str]:
    """What is wrong with the pages of a tour, in every look."""
    broken = []
    for name, page in stops:
        for look in looks(page):
            found = page.evaluate(TOO_WIDE)
            found += [] if "200%" in look else violations(page)
            broken += [f"{name}, {look}: {each}" for each in found]
    return broken


def looks(page: Page) -> Iterator[str]:
    """Puts the page into each look."""
    for scheme, size, text in LOOKS:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # a plain str
        page.set_viewport_size(size)  # type: ignore[arg-type]  # likewise
        page.evaluate("size => { document.documentElement.style.fontSize = size; }", text)
        yield f"{scheme} at {size['width']}, text {text}"


@pytest.mark.parametrize("sky", ["night", "plum", "rose"])
def test_text_can_be_read_before_every_colour_of_the_sky(sky: str) -> None:
    """Which axe-core cannot tell of a gradient (WCAG 2.2 1.4.3)."""
    colours = dict(re.findall(r"--(\w+): #(\w{6});", STYLE.read_text(encoding="utf-8")))
    light, dark = (luminance(colours[name]) for name in ("cream", sky))
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def luminance(colour: str) -> float:
    """The relative luminance of six hexadecimal digits."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_no_text_stands_before_the_bright_end_of_the_sky(windows: Windows) -> None:
    page = windows.open().new_page()
    page.goto("/")
    for look in looks(page):
        assert page.evaluate(LOWEST_WORDS) < LAST_DARK_COLOUR, look


def test_nothing_moves_for_who_wants_no_motion(page: Page) -> None:
    is_live(page)
    show = "() => document.querySelector('#expiring').showModal()"
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(MOVING) > 0
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(show)
    assert page.evaluate(MOVING) == 0
