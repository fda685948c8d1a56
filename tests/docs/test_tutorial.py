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

from handlers.languages.texts import ENGLISH
from tests.docs.markdown import ROOT, Block, blocks, page
from tests.support.servers.server import CurfewServer

PAGE = page("docs/tutorial.md")
ELSEWHERE = ("make run", "visits.py", "client.py")
"""Typed in other terminals, where they stay; the client has a test of its own."""
EVENT = re.compile(r'"event": ?"(\w+)"')
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
    assert len(set(EVENT.findall("".join(printed)))) == 1, "one end has one id"


def test_an_end_has_one_id_on_the_page_too() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert len(EVENT.findall(text)) == 3
    assert len(set(EVENT.findall(text))) == 1


def test_what_the_pages_call_by_name_is_there_under_this_name() -> None:
    for page_ in (PAGE, page("README.md")):
        assert f"*{ENGLISH.text('site.start')}*" in page_.read_text(encoding="utf-8")


def test_the_cookie_that_curl_keeps_is_ignored_by_git() -> None:
    """With `git add .` it would be published: it is a live session."""
    jars = {each for block in blocks(PAGE, "sh") for each in re.findall(r"-c (\w+)", block.text)}
    jars |= set(re.findall(r"-c (\w+)", page("README.md").read_text(encoding="utf-8")))
    assert jars == {"jar"}
    assert (
        subprocess.run(["git", "check-ignore", "-q", *jars], cwd=ROOT, check=False).returncode == 0
    )


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
