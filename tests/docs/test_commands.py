"""What the pages tell people to type exists: sub-commands, options, make targets, test folders."""

import re
import shlex
from collections.abc import Iterator

import pytest

from run import COMMANDS, command_line
from server.commands.command import Command, CommandGroup
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
TARGETS = [match[1] for line in TYPED if (match := re.match(r"make ([\w-]+)", line))]


@pytest.mark.parametrize("arguments", sorted(set(OURS)))
def test_a_command_on_a_page_is_one(arguments: str) -> None:
    assert command_line().parse_args(shlex.split(arguments)).run


@pytest.mark.parametrize("target", sorted(set(TARGETS)))
def test_a_make_target_on_a_page_is_one(target: str) -> None:
    assert f"\n{target}: " in (ROOT / "Makefile").read_text(encoding="utf-8")


def sub_commands() -> Iterator[str]:
    """Yield each command as it is typed."""
    for each in COMMANDS:
        match each:
            case CommandGroup(name=name, commands=commands):
                yield from (f"{name} {command.name}" for command in commands)
            case Command(name=name):
                yield name


@pytest.mark.parametrize("command", sorted(sub_commands()))
def test_a_page_names_every_command(command: str) -> None:
    text = " ".join(path.read_text(encoding="utf-8") for path in PAGES)
    assert re.search(rf"(run\.py |`){command}\b", text)


def test_a_command_that_a_sentence_names_is_one() -> None:
    known = set(sub_commands())
    groups = {each.partition(" ")[0] for each in known if " " in each}
    for path in PAGES:
        for name, follower in re.findall(
            r"run\.py ([a-z]+)(?: ([a-z-]+))?", path.read_text(encoding="utf-8")
        ):
            named = f"{name} {follower}".strip() if name in groups else name
            assert named in known | groups, f"{path} names `{named}`"


def test_contributing_names_every_folder_of_tests() -> None:
    named = {code(row[0])[0] for row in table(page("CONTRIBUTING.md"), "folder")}
    folders = {path for path in (ROOT / "tests").iterdir() if path.is_dir()}
    there = {f"tests/{path.name}" for path in folders if not path.name.startswith(("_", "."))}
    assert there <= named
