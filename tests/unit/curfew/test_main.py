"""The command `curfew` writes an application, or does what `run.py` does."""

import sys
from pathlib import Path

import pytest

from curfew.__main__ import main


def test_new_writes_an_application(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["curfew", "new", "some_huddle", str(tmp_path / "new")])
    assert main() == 0
    assert "make test" in capsys.readouterr().out
    assert (tmp_path / "new" / "some_huddle" / "__init__.py").exists()


def test_every_other_command_is_that_of_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["curfew", "--app", "nowhere"])
    assert main() == 78
    assert "--app takes a module" in capsys.readouterr().err
