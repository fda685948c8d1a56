"""Where a form leads on: to a path of our own, which no browser takes for another site."""

import pytest

from handlers.pages.base import OWN_PATH


@pytest.mark.parametrize("path", ["/", "/account", "/a/b?c=d&e=/f#g", "/" + "x" * 2047])
def test_a_path_of_our_own_is_taken(path: str) -> None:
    assert OWN_PATH.fullmatch(path)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "account",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/a\\b",
        "/a b",
        "/ä",
        "https://evil.example/",
        "javascript:alert(1)",
        "/" + "x" * 2048,
        "/account\n",
    ],
)
def test_anything_else_is_not(given: str) -> None:
    assert not OWN_PATH.fullmatch(given)
