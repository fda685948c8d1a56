"""`python run.py` in a Python that was not set up says so in one line, whatever was asked for."""

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from server.processes.right_python import PACKAGES, SET_UP, missing_package, require_right_python

ROOT = Path(__file__).parents[3]
RUN = ROOT / "run.py"
READ_BY_OLD_ONES = ("run.py", "server/__init__.py", "server/processes/__init__.py",
                    "server/processes/right_python.py")  # fmt: skip
OLD = sorted(Path.home().glob(".pyenv/versions/3.[789].*/bin/python"))
"""Old versions on this machine, if there are any."""


@pytest.mark.parametrize(
    "words",
    [[], ["--help"], ["doctor"], ["user", "add", "ada"], ["keys", "new"], ["sessions", "list"]],
)
def test_without_the_packages_every_command_says_what_to_do(words: list[str]) -> None:
    ran = subprocess.run(
        [sys.executable, "-S", str(RUN), *words],  # -S: without packages
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (1, "")
    assert re.fullmatch(r"The package \w+ is missing in this Python \(.+\)\. .+\n", ran.stderr)
    assert SET_UP in ran.stderr


def test_a_python_that_is_too_old_is_named() -> None:
    with pytest.raises(SystemExit) as left:
        require_right_python((3, 10, 13))
    assert left.value.code == (
        f"Curfew needs Python 3.11 or newer, and this is Python 3.10.13. {SET_UP}"
    )


@pytest.mark.parametrize("file", READ_BY_OLD_ONES)
def test_an_old_python_can_read_what_tells_it(file: str) -> None:
    ast.parse((ROOT / file).read_text(encoding="utf-8"), feature_version=(3, 7))


def test_and_it_is_told() -> None:
    for each in OLD:
        ran = subprocess.run([str(each), str(RUN)], capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stdout) == (1, ""), each
        assert re.fullmatch(r"Curfew needs Python 3\.11 or newer, .+\n", ran.stderr), ran.stderr


def test_what_is_ours_and_what_an_application_imports_keep_their_tracebacks() -> None:
    assert missing_package(ModuleNotFoundError("", name="tornado.web")) == "tornado"
    assert not missing_package(ModuleNotFoundError("", name="server.nothing"))
    assert not missing_package(ModuleNotFoundError("", name="numpy"))
    assert not missing_package(ImportError("", name="tornado"))
    assert not missing_package(ValueError())


OPTIONAL = {"opentelemetry"}
"""What is missing only where CURFEW_TRACES asks for it, which says so itself."""


def test_the_packages_are_those_that_the_code_imports() -> None:
    files = [RUN, ROOT / "settings.py", *(ROOT / "server").rglob("*.py")]
    files += (ROOT / "handlers").rglob("*.py")
    theirs = packages_distributions().keys()
    imported = {name for file in files for name in imports_of(file)} & theirs
    assert imported - OPTIONAL <= PACKAGES <= theirs


def imports_of(file: Path) -> set[str]:
    """The first words of what a file imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_after_the_check_a_missing_package_is_one_line_and_a_fault_keeps_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    require_right_python((3, 11, 0))
    missing = ModuleNotFoundError("No module named 'tornado'", name="tornado.web")
    sys.excepthook(type(missing), missing, None)
    line = capsys.readouterr().err
    assert line.startswith("The package tornado is missing in this Python (")
    assert line.endswith(f"{SET_UP}\n")
    fault = ZeroDivisionError("once")
    sys.excepthook(type(fault), fault, None)
    assert "ZeroDivisionError: once" in capsys.readouterr().err
