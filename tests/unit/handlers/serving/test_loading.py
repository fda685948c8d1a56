"""`--app huddle:application` finds an application, or says what is missing."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from handlers.serving.loading import named_application
from server.core.errors import ConfigurationError

MODULE = """
class Program:
    def main(self, words=None):
        return 0
application, number = Program(), 7
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module in the current folder."""
    (tmp_path / "some_huddle.py").write_text(MODULE, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each])
    monkeypatch.delitem(sys.modules, "some_huddle", raising=False)


@pytest.mark.parametrize(
    "words",
    [["--app", "some_huddle:application", "rooms"], ["--app=some_huddle:application", "rooms"]],
)
def test_it_is_found_and_the_other_words_are_left(words: Sequence[str]) -> None:
    found, rest = named_application(words)
    assert found is not None
    assert found.main() == 0
    assert rest == ["rooms"]


def test_without_it_the_words_stay() -> None:
    assert named_application([]) == (None, [])
    assert named_application(["user", "--app", "x"]) == (None, ["user", "--app", "x"])


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "--app takes a module"), ("some_huddle", "--app takes a module"),
        ("nowhere:application", "no module 'nowhere'"), ("some_huddle:nothing", "has no 'nothing'"),
        ("some_huddle:number", "is no Application"), (".some_huddle:x", "--app takes a module"),
        ("os.nowhere.deep:application", "no module 'os.nowhere.deep'"),
    ],
)  # fmt: skip
def test_what_is_missing_is_told(name: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        named_application(["--app", name])


@pytest.mark.parametrize(
    ("mistake", "raised"),
    [
        ("import no_such_package_at_all", ModuleNotFoundError),
        ("import os; os.no_such_package_at_all()", AttributeError),
    ],
)
def test_a_mistake_in_the_module_itself_is_not_hidden(
    tmp_path: Path, mistake: str, raised: type[Exception]
) -> None:
    (tmp_path / "broken_huddle.py").write_text(mistake, "utf-8")
    with pytest.raises(raised, match="no_such_package_at_all"):
        named_application(["--app", "broken_huddle:application"])
