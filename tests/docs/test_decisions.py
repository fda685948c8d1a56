"""The decisions: all listed, all in one form, and a line for every package."""

import re
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, page, table

FOLDER = ROOT / "docs" / "decisions"
DECISIONS = sorted(FOLDER.glob("0*.md"))


def test_the_list_names_every_decision_by_its_title() -> None:
    listed = page("docs/decisions/README.md").read_text(encoding="utf-8").lower()
    for decision in DECISIONS:
        number, _, title = first_line(decision).removeprefix("# ").partition(": ")
        assert f"| [{number}]({decision.name}) | {title} |".lower() in listed


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda each: each.stem)
def test_a_decision_has_context_decision_and_consequences(decision: Path) -> None:
    headings = re.findall(r"^## (.+)$", decision.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == ["Context", "Decision", "Consequences"]
    assert first_line(decision).startswith(f"# {decision.name[:4]}: ")


def test_no_number_is_taken_twice_or_left_out() -> None:
    numbers = [int(decision.name[:4]) for decision in DECISIONS]
    assert numbers == list(range(1, len(DECISIONS) + 1))


def test_every_pinned_package_has_a_line() -> None:
    listed = table(FOLDER / "0009-libraries.md", "package")
    named = {name for row in listed for name in row[0].split(", ")}
    assert named == {name for file in ("", "-dev") for name in pinned(f"requirements{file}.txt")}


def pinned(name: str) -> set[str]:
    """The packages of a requirements file; every line pins one."""
    text = (ROOT / name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith(("#", "-r"))]
    found = [re.fullmatch(r"([\w-]+)(?:\[\w+\])?==[\w.]+", line) for line in lines]
    assert all(found), lines
    return {match[1] for match in found if match}


def first_line(path: Path) -> str:
    """A page's title."""
    return path.read_text(encoding="utf-8").partition("\n")[0]
