"""The README's programs are in `examples/`, which other tests run, and its commands work."""

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, blocks, page
from tests.support.servers.server import CurfewServer

PAGE = page("README.md")
TEXT = PAGE.read_text(encoding="utf-8")
WHOLE = {block.name: block.text for block in blocks(PAGE) if block.name}
PARTS = re.findall(r"<!-- from ([\w./]+) -->\n```\w+\n(.*?)```", TEXT, re.DOTALL)


def test_the_readme_shows_a_handler_whole_and_of_two_clients_a_part() -> None:
    assert set(WHOLE) == {"examples/notes.py"}
    assert {name for name, _ in PARTS} == {"examples/client.py", "examples/client.mjs"}


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_an_example_is_shown_as_it_is(name: str) -> None:
    assert WHOLE[name] == (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "part"), PARTS)
def test_a_part_of_an_example_is_shown_as_it_is(name: str, part: str) -> None:
    assert part in (ROOT / name).read_text(encoding="utf-8")
    assert 5 <= len(part.splitlines()) <= 12


def test_a_handler_of_ones_own_takes_at_most_fifteen_lines() -> None:
    lines = WHOLE["examples/notes.py"].splitlines()
    assert len([line for line in lines if line.strip()]) <= 15


def test_the_handler_answers_the_commands_that_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # as `python -m` in the project's folder does
    (typed,) = [block.text for block in blocks(PAGE, "sh") if "/api/note" in block.text]
    (answer,) = [json.loads(block.text) for block in blocks(PAGE, "json")]
    with CurfewServer(script=ROOT / "examples/notes.py") as server:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", typed.replace("http://127.0.0.1:8888", server.url)],
            cwd=tmp_path,
            env=os.environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    printed = [json.loads(each) for each in re.findall(r"\{.*?\}", done.stdout)]
    assert printed == [{"user": "ada"}, answer, answer]


def test_the_version_is_the_one_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"version {project['version']}," in TEXT.partition("## ")[0]
