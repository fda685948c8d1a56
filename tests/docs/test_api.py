"""docs/api.md lists the public API, and nothing else."""

import importlib
import inspect

import pytest

import curfew
import curfew.testing
from tests.docs.markdown import ROOT, code, page, table

PAGE = page("docs/api.md")


def sections() -> dict[str, str]:
    """The text of each section by its heading."""
    parts = PAGE.read_text(encoding="utf-8").split("\n## ")[1:]
    return {part.partition("\n")[0]: part for part in parts}


def listed(*headings: str) -> set[str]:
    """The names in the first column of the tables of these sections."""
    rows = [
        line
        for each in headings
        for line in sections()[each].splitlines()
        if line.startswith("| `")
    ]
    return {line.split("`")[1] for line in rows}


def test_the_page_lists_what_curfew_offers() -> None:
    headings = ("The application", "Handlers", "Real-time", "Accounts of your own", "Values")
    assert listed(*headings) == set(curfew.__all__)


def test_the_page_lists_what_the_testing_kit_offers() -> None:
    assert listed("Testing") == set(curfew.testing.__all__)


@pytest.mark.parametrize("module", [curfew, curfew.testing], ids=lambda each: each.__name__)
def test_everything_offered_is_there_and_says_what_it_is(module: object) -> None:
    for name in module.__all__:  # type: ignore[attr-defined]
        offered = getattr(module, name)
        if inspect.isclass(offered) or inspect.isfunction(offered):
            assert inspect.getdoc(offered), name


def test_the_earlier_imports_are_still_there() -> None:
    for row in table(PAGE, "before"):
        module, _, name = code(row[0])[0].partition("(")[0].rpartition(".")
        assert getattr(importlib.import_module(module), name)


def test_the_name_at_the_top_is_the_only_one_that_an_installed_copy_has() -> None:
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    assert 'packages=["curfew", "curfew.testing", *rest]' in setup
