"""The decisions: all listed, all in one form, and a line for every package."""

import re
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, page, table

FOLDER = ROOT / "docs" / "decisions"
REQUIREMENTS = (
    *("requirements", "requirements-dev", "requirements-traces"),
    "benchmarks/requirements",
)
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
    named = {canonical(name) for row in listed for name in row[0].split(", ")}
    assert named == {name for file in REQUIREMENTS for name in pinned(f"{file}.txt")}


@pytest.mark.proves("15.1.2", "15.2.1")
@pytest.mark.parametrize("name", [*REQUIREMENTS, "requirements-tools"])
def test_every_package_is_pinned_with_hashes_and_without_an_address(name: str) -> None:
    text = (ROOT / f"{name}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    blocks = re.split(r"\n(?=[a-z])", text.partition("make requirements\n")[2])
    for block in blocks:
        assert re.match(r"[a-z0-9-]+==[\w.]+(?: ;[^\n\\]+)? \\\n", block), block[:80]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", block), block[:80]


@pytest.mark.parametrize("name", [*REQUIREMENTS, "requirements-tools"])
def test_what_was_asked_for_is_what_is_pinned(name: str) -> None:
    asked = (ROOT / f"{name}.in").read_text(encoding="utf-8").splitlines()
    lines = [line for line in asked if line and not line.startswith(("#", "-r"))]
    text = (ROOT / f"{name}.txt").read_text(encoding="utf-8")
    for line in lines:
        package, _, version = re.sub(r"\[\w+\]", "", line).partition("==")
        assert re.search(rf"^{canonical(package)}=={re.escape(version)}[ ;]", text, re.MULTILINE)


def pinned(name: str) -> set[str]:
    """The packages of a requirements file."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))


def canonical(name: str) -> str:
    """A package's name as the index has it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def first_line(path: Path) -> str:
    """A page's title."""
    return path.read_text(encoding="utf-8").partition("\n")[0]
