"""The direction of imports: the contracts of pyproject.toml, and the two modules they leave out."""

import ast
import sys
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).resolve().parents[2]


def test_every_contract_is_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(str(ROOT))
    status = lint_imports(no_cache=True, no_logo=True)
    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_settings_stand_below_everything_that_reads_them() -> None:
    own = {name for name in imported_by("settings.py") if top(name) not in sys.stdlib_module_names}
    assert {name for name in own if not name.startswith(("server.core", "server.crypto"))} == set()


def test_the_entry_leaves_the_store_client_to_the_store() -> None:
    assert "redis" not in {top(name) for name in imported_by("run.py")}


def imported_by(name: str) -> set[str]:
    """Return the modules that a file imports, wherever in it."""
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def top(name: str) -> str:
    """Return the package that a module belongs to."""
    return name.partition(".")[0]
