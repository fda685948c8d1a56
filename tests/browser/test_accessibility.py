"""Every page in every state: for eyes, ears and keys, light and dark, on a desk and at 320 px."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.support.axe import violations
from tests.support.seen import is_live
from tests.support.tour import Stop
from tests.support.tours import TOURS, Tour

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


def test_nothing_moves_for_who_wants_no_motion(page: Page) -> None:
    is_live(page)
    show = "() => document.querySelector('#expiring').showModal()"
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(MOVING) > 0
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(show)
    assert page.evaluate(MOVING) == 0
