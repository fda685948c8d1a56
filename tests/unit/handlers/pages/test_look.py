"""What a browser has chosen: two words in a cookie that anybody may have written."""

import re
from pathlib import Path

import pytest

from handlers.pages.look import Look

STYLE = Path(__file__).parents[4] / "static" / "css" / "curfew.css"


@pytest.mark.parametrize("look", [Look(), Look("de", "dark"), Look("pt-BR"), Look(theme="light")])
def test_a_choice_comes_back_from_its_cookie(look: Look) -> None:
    assert Look.read(look.value) == look


@pytest.mark.parametrize(
    "value",
    ["", ".", "..", 'd"e.', "de;.", "<b>.<b>", "д.", "a" * 36 + ".", ".blue", ".dark.", "\r\n."],
)
def test_what_cannot_be_chosen_is_not(value: str) -> None:
    assert Look.read(value) == Look()


def test_one_choice_leaves_the_other() -> None:
    look = Look("de", "dark")
    assert look.choose("theme", "") == Look("de")
    assert look.choose("language", "en") == Look("en", "dark")
    assert look.choose("font", "large") == look.choose("theme", "blue") == look


def test_chosen_darkness_is_as_dark_as_the_devices() -> None:
    style = STYLE.read_text(encoding="utf-8")
    device, chosen = (
        re.findall(r"--[\w-]+: [^;]+;", style.split(rule, 1)[1].split("}", 1)[0])
        for rule in (
            ':root:where(:not([data-theme="light"])) {',
            ':root:where([data-theme="dark"]) {',
        )
    )
    assert len(device) > 10
    assert device == chosen
