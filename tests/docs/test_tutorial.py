"""The tutorial, typed in by a test: its handler serves, its commands run, its answers are true."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.docs.markdown import ROOT, Block, blocks, page
from tests.support.servers.server import CurfewServer

PAGE = page("docs/tutorial.md")
ELSEWHERE = ("make run", "visits.py", "client.py")
"""Typed in other terminals, where they stay; the client has a test of its own."""
LONGEST_WORD = 20
"""Characters; what is longer and has no space in it is an id."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CurfewServer]:
    """The application of the tutorial, as a file outside the project's folder."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (program,) = blocks(PAGE, "python")
    script = tmp_path / "visits.py"
    script.write_text(program.text, encoding="utf-8")
    with CurfewServer(script=script) as running:
        yield running


def test_the_tutorial_is_true(server: CurfewServer, tmp_path: Path) -> None:
    for name in (".venv", "run.py", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    steps = [
        (typed.text, answer.text if answer.language == "json" else "")
        for typed, answer in pairwise([*blocks(PAGE), Block("", "")])
        if typed.language == "sh" and not any(word in typed.text for word in ELSEWHERE)
    ]
    printed = type_in([typed for typed, _ in steps], server, tmp_path)
    for (typed, expected), answer in zip(steps, printed, strict=True):
        if expected:
            assert shape(json.loads(answer.splitlines()[-1])) == shape(json.loads(expected)), typed


def type_in(steps: list[str], server: CurfewServer, folder: Path) -> list[str]:
    """Type everything into one shell; what each step prints."""
    script = "".join(f"echo '--- step'\n{step}\necho\n" for step in steps)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace("http://127.0.0.1:8888", server.url)],
        cwd=folder,
        env=os.environ | server.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return [each.strip() for each in re.split(r"^--- step$", done.stdout, flags=re.MULTILINE)[1:]]


def shape(value: Any) -> Any:
    """What an answer has in common with the one on the page: names, sentences, words and types."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    if isinstance(value, str):
        return value if " " in value or len(value) < LONGEST_WORD else "an id"
    return type(value)
