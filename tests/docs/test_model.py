"""The model of how sessions end: its page, its files and its script name the same things.

`make model` explores it, which takes too long for a test.
"""

import re
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, code, page, table

FOLDER = ROOT / "docs" / "model"
PAGE = page("docs/model/README.md")
PARTS = table(PAGE, "part")
MUTATIONS = [code(row[0])[0] for row in table(PAGE, "mutation")]
MODEL = "\n".join(file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.pml")))
SCRIPT = (FOLDER / "explore.sh").read_text(encoding="utf-8")
THE_SIX = {
    "NO_LEASE",
    "NO_SECOND_CHECK",
    "INDEX_ONLY_ENDS",
    "NO_EPOCH_AT_LOAD",
    "RECEIPT_OF_NOBODY",
    "EARLY_ACKNOWLEDGEMENT",
}


def listed(variable: str) -> list[str]:
    """The words of a list in the script."""
    (words,) = re.findall(rf'^{variable}="([^"]*)"$', SCRIPT, re.MULTILINE)
    return str(words).split()


@pytest.mark.parametrize("file", sorted({file for row in PARTS for file in code(row[2])}))
def test_a_file_that_a_part_is_mapped_to_is_there(file: str) -> None:
    assert (ROOT / file).is_file()


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.pml")), ids=lambda file: file.name)
def test_a_file_that_a_comment_names_is_there(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    for path in re.findall(r"[\w/]+/[\w./]+", "".join(re.findall(r"Code: ([^*]*)", text))):
        assert (ROOT / path).exists()
    for script in re.findall(r"\w+\.lua", text):
        assert (ROOT / "server/store/scripts" / script).is_file()
    for module in re.findall(r"\w+\.py", text):
        assert list(ROOT.glob(f"server/**/{module}")) or f"/{module}" in text


def test_the_table_maps_every_inline_and_names_nothing_else() -> None:
    named = {name for row in PARTS for name in code(row[1])}
    inlines = set(re.findall(r"^inline (\w+)\(", MODEL, re.MULTILINE))
    defined = set(re.findall(r"^#define (\w+)", MODEL, re.MULTILINE))
    variables = set(re.findall(r"^(?:bool|byte|mtype:\w+) (\w+)", MODEL, re.MULTILINE))
    assert inlines <= named <= inlines | defined | variables


def test_the_page_the_script_and_the_model_have_the_same_mutations() -> None:
    assert listed("mutations") + listed("further_mutations") == MUTATIONS
    switches = set(re.findall(r"^#ifn?def (\w+)", MODEL, re.MULTILINE))
    switches |= set(re.findall(r"defined\((\w+)\)", MODEL))
    assert switches - {"STEP", "LISTED_BY_THE_CLOCK"} == set(MUTATIONS)


def test_the_six_mutations_that_the_design_stands_on_come_first() -> None:
    assert set(listed("mutations")) == THE_SIX


def test_every_file_of_the_model_is_explored_by_the_make_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "\nmodel: ## " in makefile
    assert "\tsh docs/model/explore.sh $(ARGS)\n" in makefile
    start = (FOLDER / "ends.pml").read_text(encoding="utf-8")
    included = set(re.findall(r'^#include "(\w+\.pml)"', start, re.MULTILINE))
    assert included | {"ends.pml"} == {file.name for file in FOLDER.glob("*.pml")}
