"""A new application: written outside the clone under a free name, and its own tests pass."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from curfew.new import flaw_of_folder, flaw_of_name, main
from curfew.places import TAKEN
from tests.support.servers.server import ROOT


@pytest.mark.parametrize(
    "name",
    [
        *TAKEN, "curfew", "curfew_chat", "tests", "tornado", "json", "class", "Huddle", "my-app",
        "", "1st",
    ],
)  # fmt: skip
def test_a_name_that_collides_is_refused_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main([name, str(tmp_path / "new")]) == 1
    said = capsys.readouterr().err
    assert said == f"{flaw_of_name(name)}\n"
    assert repr(name) in said
    assert not (tmp_path / "new").exists()


def test_it_is_not_written_over_anything_or_into_the_clone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", "utf-8")
    for folder in (tmp_path, tmp_path / "file", ROOT / "huddle"):
        assert flaw_of_folder(folder) is not None
        assert main(["some_huddle", str(folder)]) == 1
    assert (tmp_path / "file").read_text("utf-8") == "mine"


def test_make_and_the_shell_take_any_path_of_curfew_and_of_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = tmp_path / "it's $HOME # 5"
    odd.mkdir()
    python, folder = odd / "python", tmp_path / "some_huddle"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$PYTHONPATH" "$@"\n', "utf-8")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setattr("curfew.new.FOLDER", odd / "clone")
    assert main(["some_huddle", str(folder)]) == 0
    called = [
        subprocess.run(
            ["make", "-C", str(folder), "--no-print-directory", each],
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        for each in ("run", "test")
    ]
    assert called == [
        [f"{folder}:{odd}/clone", "-m", "some_huddle"],
        [f"{folder}:{odd}/clone", "-m", "pytest", "-q", "tests"],
    ]


def test_what_cannot_be_written_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["some_huddle", "/proc/huddle"]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_its_own_tests_pass(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "chat room"
    assert main(["chat_room", str(folder)]) == 0
    text = "\n".join(each.read_text("utf-8") for each in folder.rglob("*") if each.is_file())
    assert "huddle" not in text.lower()
    assert "@CURFEW@" not in text
    ran = subprocess.run(
        ["make", "test", "ARGS=-k 'wave or command'"],
        cwd=folder,
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 passed" in ran.stdout
