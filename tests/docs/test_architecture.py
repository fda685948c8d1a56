"""The page that shows the way: its files are there, and its walks lead through files that run."""

import ast
import re
from collections.abc import Iterator, Mapping

import pytest

from tests.docs.markdown import ROOT, code, page
from tests.docs.walks import requests
from tests.docs.walks.requests import Walk, files_run, noting_server
from tests.support.servers.server import CurfewServer

PAGE = page("docs/architecture.md")
TEXT = PAGE.read_text(encoding="utf-8")
PATHS = sorted({each for each in code(TEXT) if re.fullmatch(r"[\w*-]+(/[\w*.-]+)+|\w+\.py", each)})
WALKS: Mapping[str, Walk] = {
    "One authenticated GET": requests.get,
    "One logout across two nodes": requests.log_out_with_a_socket,
    "One message between sockets": requests.message,
    "One sign-in with a second factor": requests.sign_in_by_two_factors,
}
FIGURES: Mapping[str, Walk] = {
    "`GET /api/session`": requests.get,
    "`POST /api/logout`": requests.log_out,
    "`POST /api/login`": requests.sign_in,
}

TOLERANCE = 3
"""Files by which a figure on the page may be out of date."""


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """A server that can note what runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        with noting_server() as running:
            yield running


@pytest.mark.parametrize("path", PATHS)
def test_a_path_on_the_page_is_there(path: str) -> None:
    assert list(ROOT.glob(path))


def steps_of(heading: str) -> list[tuple[str, str]]:
    """Return the file and the sentence of each step of a walk."""
    section = TEXT.split(f"### {heading}\n")[1].split("\n#")[0]
    steps = re.findall(
        r"^\d+\. `([\w/.]+)`(.*?)(?=^\d+\. |\n\n|\Z)", section, re.MULTILINE | re.DOTALL
    )
    assert len(steps) == len(re.findall(r"^\d+\. ", section, re.MULTILINE)), "a step names no file"
    return steps


@pytest.mark.parametrize("heading", sorted(WALKS))
def test_a_step_names_only_what_its_file_defines(heading: str) -> None:
    for file, sentence in steps_of(heading):
        named = {each[:-2] for each in code(sentence) if re.fullmatch(r"\w+\(\)", each)}
        assert named <= defined_in(file), file


def defined_in(file: str) -> set[str]:
    """Return the names of the functions and classes of a file."""
    text = (ROOT / file).read_text(encoding="utf-8")
    return {
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }


@pytest.mark.parametrize("heading", sorted(WALKS))
async def test_every_file_of_a_walk_runs_on_it(heading: str, server: CurfewServer) -> None:
    run = await files_run(server, WALKS[heading], "all")
    assert {file for file, _ in steps_of(heading)} <= run


@pytest.mark.parametrize("request_line", sorted(FIGURES))
async def test_the_page_says_about_how_many_files_run(
    request_line: str, server: CurfewServer
) -> None:
    row = re.search(rf"^\| {re.escape(request_line)}.*\| (\d+) \|$", TEXT, re.MULTILINE)
    assert row
    assert abs(len(await files_run(server, FIGURES[request_line])) - int(row[1])) <= TOLERANCE
