"""Whose template is found: the handler's, the application's, or ours."""

from pathlib import Path

import pytest
from tornado.template import Loader

from handlers.pages.template_loader import Layers, OwnThenOurs


def folder(parent: Path, name: str, **templates: str) -> str:
    """Write templates into a folder, each of which shows who wrote it."""
    made = parent / name
    made.mkdir()
    for stem, text in templates.items():
        (made / f"{stem}.html").write_text(text, encoding="utf-8")
    return str(made)


def shown(loader: Loader, name: str) -> str:
    """Return what a template shows."""
    return loader.load(name).generate().decode()


@pytest.fixture
def ours(tmp_path: Path) -> str:
    return folder(tmp_path, "ours", base="ours", login="our login", error="our error")


def test_the_first_folder_of_an_application_that_has_a_template_is_taken(
    tmp_path: Path, ours: str
) -> None:
    first = folder(tmp_path, "first", base="the first")
    second = folder(tmp_path, "second", base="the second", login="the second's login")
    layers = Layers([first, second], ours)
    assert [shown(layers, f"{each}.html") for each in ("base", "login", "error")] == [
        "the first",
        "the second's login",
        "our error",
    ]


def test_ours_can_be_named_where_the_application_has_one_of_the_name(
    tmp_path: Path, ours: str
) -> None:
    own = folder(tmp_path, "own", base="{% extends 'curfew/base.html' %}", login="theirs")
    layers = Layers([own], ours)
    assert shown(layers, "base.html") == "ours"
    assert shown(layers, "curfew/login.html") == "our login"


def test_what_nobody_has_is_looked_for_in_ours(tmp_path: Path, ours: str) -> None:
    layers = Layers([folder(tmp_path, "own")], ours)
    with pytest.raises(FileNotFoundError, match="ours/nothing"):
        layers.load("nothing.html")


def test_a_page_of_ours_is_made_of_ours_whatever_a_handler_has(tmp_path: Path, ours: str) -> None:
    Path(ours, "login.html").write_text("{% include 'error.html' %}", encoding="utf-8")
    loader = OwnThenOurs(folder(tmp_path, "own", error="their error"), Loader(ours))
    assert shown(loader, "error.html") == "their error"
    assert shown(loader, "login.html") == "our error"
