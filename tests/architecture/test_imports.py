"""The direction of imports: the contracts of pyproject.toml, and the two modules they leave out."""

import ast
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_contract_is_kept() -> None:
    """In a process of its own: the linter switches off the loggers of the one it runs in."""
    linter = Path(sys.executable).with_name("lint-imports")
    found = subprocess.run(
        [str(linter), "--no-cache"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout


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
