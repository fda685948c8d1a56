"""Started elsewhere, the program has other data: it says where, and that it is new."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.running.ports import free_port
from tests.support.running.processes import eventually, processes_of
from tests.support.servers.server import ROOT

NEW = "is new: it begins with an empty store and its own secret keys."


def environment() -> dict[str, str]:
    """Return this environment without a data folder, which is then below where one stands."""
    return {name: each for name, each in os.environ.items() if name != "CURFEW_DATA_DIR"}


def run(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a command from another folder."""
    return subprocess.run(
        [sys.executable, str(ROOT / "run.py"), *words],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )


def served(folder: Path) -> str:
    """Start a server from another folder, stop it, and return what it printed."""
    with (
        (folder / "output").open("w") as output,
        subprocess.Popen(
            [sys.executable, str(ROOT / "run.py")],
            cwd=folder,
            env=environment() | {"CURFEW_PORT": str(free_port())},
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as server,
    ):
        try:
            eventually(lambda: "Ctrl-C stops it" in (folder / "output").read_text("utf-8"))
        finally:
            server.terminate()
    return (folder / "output").read_text("utf-8")


def test_a_server_says_where_its_data_is_and_that_it_is_new(tmp_path: Path) -> None:
    first, second = served(tmp_path), served(tmp_path)
    for each in (first, second):
        assert f"with the store in {tmp_path}/data. " in each
    assert f"The data folder {tmp_path}/data {NEW}" in first
    assert NEW not in second
    assert processes_of(tmp_path) == []


@pytest.mark.parametrize("words", [("sessions", "list"), ("sessions", "end", "--all", "--yes")])
def test_a_command_on_a_new_store_says_so(tmp_path: Path, words: tuple[str, ...]) -> None:
    first, second = run(tmp_path, *words), run(tmp_path, *words)
    assert f"The data folder {tmp_path}/data {NEW}" in first.stderr
    assert NEW not in first.stdout + second.stdout + second.stderr
