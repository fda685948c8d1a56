"""What the pages tell people to type exists: sub-commands, options, make targets, test folders."""

import re
import shlex

import pytest

from run import command_line
from tests.docs.markdown import PAGES, ROOT, blocks, code, page, table

TYPED = sorted(
    {
        line
        for path in PAGES
        for block in blocks(path, "sh")
        for line in block.text.replace("\\\n", " ").splitlines()
    }
)
OURS = [match[1] for line in TYPED if (match := re.search(r"python run\.py([^|>)]*)", line))]
TARGETS = [match[1] for line in TYPED if (match := re.match(r"make (\w+)", line))]


@pytest.mark.parametrize("arguments", sorted(set(OURS)))
def test_a_command_on_a_page_is_one(arguments: str) -> None:
    assert command_line().parse_args(shlex.split(arguments)).run


@pytest.mark.parametrize("target", sorted(set(TARGETS)))
def test_a_make_target_on_a_page_is_one(target: str) -> None:
    assert f"\n{target}: " in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_pages_name_every_sub_command() -> None:
    text = " ".join(OURS)
    commands = ["user add", "user passwd", "user disable", "sessions list", "sessions end"]
    commands += [f"keys {act}" for act in ("new", "list", "add", "promote", "retire", "reseal")]
    assert all(command in text for command in [*commands, "store acl"])
    assert "run.py doctor" in page("docs/operations.md").read_text(encoding="utf-8")


def test_contributing_names_every_folder_of_tests() -> None:
    named = {code(row[0])[0] for row in table(page("CONTRIBUTING.md"), "folder")}
    folders = {path for path in (ROOT / "tests").iterdir() if path.is_dir()}
    there = {f"tests/{path.name}" for path in folders if not path.name.startswith(("_", "."))}
    assert there <= named
