"""The settings page against `settings.py`: every variable, and the default that it names."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from settings import load_settings, names_of_settings
from tests.docs.markdown import code, page, table

ROWS = {code(row[0])[0]: row for row in table(page("docs/settings.md"), "variable")}
IN_WORDS = {
    "CURFEW_SECRET_KEYS_FILE": "`secret_keys` in the data folder",
    "CURFEW_ORIGINS": "this server's loopback addresses",
    "CURFEW_SIGNUP": "`open` on loopback, else `closed`",
}
"""Defaults that depend on other settings, so that no value stands for them."""


class Asked(Mapping[str, str]):
    """An environment that notes what it is asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values_given = values
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self.values_given[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_given)

    def __len__(self) -> int:
        return len(self.values_given)


def test_the_page_names_every_variable_and_no_other(tmp_path: Path) -> None:
    environment = Asked({"CURFEW_DATA_DIR": str(tmp_path)})
    load_settings(environment)
    assert set(ROWS) == environment.asked == names_of_settings()


@pytest.mark.parametrize("name", sorted(ROWS))
def test_the_default_on_the_page_is_the_default(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    default = ROWS[name][1]
    if name in IN_WORDS:
        assert default == IN_WORDS[name]
    elif default == "empty":
        assert load_settings({name: ""}) == load_settings({})
    else:
        assert load_settings({name: code(default)[0]}) == load_settings({})
