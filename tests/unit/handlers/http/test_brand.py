"""What an application shows of itself."""

import re

import pytest

from handlers.http.application import STATIC
from handlers.http.brand import COLOURS, CURFEW, Brand


def test_ours_has_no_flaw_and_no_styles() -> None:
    assert CURFEW.flaw is None
    assert (CURFEW.styles, CURFEW.styles_version) == ("", "")


def test_colours_are_styles_by_day_and_by_night() -> None:
    brand = Brand("Huddle", colours={"night": "#123"}, dark_colours={"ink": "rgb(1 2 3 / 50%)"})
    assert brand.flaw is None
    assert ":root { --night: #123; }" in brand.styles
    assert re.search(r"prefers-color-scheme: dark\) \{ :root \{ --ink: rgb\(1 2 3", brand.styles)
    assert brand.styles_version != Brand("Huddle", colours={"night": "#124"}).styles_version


@pytest.mark.parametrize(
    "brand",
    [
        Brand(""), Brand("a:b"), Brand("two\nlines"), Brand("x", colours={"nigth": "#123"}),
        Brand("x", colours={"night": "red; } body { display: none"}),
        Brand("x", dark_colours={"night": "url(https://evil.example)"}),
    ],
)  # fmt: skip
def test_a_flaw_is_a_sentence(brand: Brand) -> None:
    assert brand.flaw is not None
    assert brand.flaw.endswith(".")


def test_every_colour_is_in_our_stylesheet() -> None:
    with open(f"{STATIC}/css/curfew.css", encoding="utf-8") as file:  # noqa: PTH123 - a short read
        first = file.read().partition("@media")[0]
    found = re.findall(r"--([\w-]+): #", first)
    assert set(found) == COLOURS
