"""Every module that decides something has a file of unit tests, in rooms that mirror the code's."""

import ast
from pathlib import Path
from typing import Final

import pytest

from tests.support.servers.server import ROOT

UNIT_TESTS: Final = ROOT / "tests" / "unit"

# ── Rooms whose unit tests do not stand in a room like theirs yet. This list only shrinks. ────────
PENDING: Final[frozenset[str]] = frozenset()
# ──────────────────────────────────────────────────────────────────────────────────────────────────

ROOMS_OVER_HTTP: Final = {
    "handlers/api": "routes: tests/handlers asks each over HTTP, as programs do",
    "handlers/pages": "routes: tests/handlers and tests/browser ask each, as people do",
}
EXCEPTIONS: Final = {
    "server/supervisor.py": "it forks: tests/integration/test_supervisor.py runs it in a process",
}
"""Modules that decide something and are tested elsewhere, with where."""


def decides(module: Path) -> bool:
    """Return whether a function in the module branches or compares."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return any(
        _is_decision(part)
        for function in ast.walk(tree)
        if isinstance(function, functions)
        for part in ast.walk(function)
    )


def _is_decision(node: ast.AST) -> bool:
    if isinstance(node, ast.comprehension):
        return bool(node.ifs)
    return isinstance(
        node, (ast.If, ast.IfExp, ast.Match, ast.While, ast.Try, ast.Compare, ast.BoolOp)
    )


def name_of(module: Path) -> str:
    """Return the path of a module from the project's folder."""
    return module.relative_to(ROOT).as_posix()


def room_of(module: Path) -> str:
    """Return the folder of a module from the project's folder."""
    return module.parent.relative_to(ROOT).as_posix()


def unit_tests(module: Path) -> list[Path]:
    """Return the files that may test a module: `tests/unit` has all rooms beside each other."""
    room = module.parent.relative_to(ROOT)
    below_top = room.relative_to(room.parts[0]) if room.parts else room
    return [UNIT_TESTS / each / f"test_{module.stem}.py" for each in (room, below_top)]


def has_unit_tests(module: Path) -> bool:
    """Return whether a file of unit tests has the module's name."""
    return any(each.exists() for each in unit_tests(module))


MODULES: Final = [
    path
    for path in [ROOT / "run.py", ROOT / "settings.py", *ROOT.glob("server/**/*.py"),
                 *ROOT.glob("handlers/**/*.py")]
    if decides(path)
]  # fmt: skip
UNTESTED: Final = {name_of(module) for module in MODULES if not has_unit_tests(module)}


def test_what_decides_is_told_from_what_only_declares() -> None:
    assert decides(ROOT / "server" / "core" / "policy.py")
    assert decides(ROOT / "server" / "core" / "rate.py")
    assert not decides(ROOT / "server" / "core" / "limits.py")


def test_every_module_that_decides_has_a_file_of_unit_tests_of_its_name() -> None:
    elsewhere = PENDING | ROOMS_OVER_HTTP.keys()
    missing = {name for name in UNTESTED if room_of(ROOT / name) not in elsewhere}
    assert missing - EXCEPTIONS.keys() == set()


def test_no_exception_is_left_over() -> None:
    rooms = {room_of(ROOT / name) for name in UNTESTED}
    assert EXCEPTIONS.keys() <= UNTESTED
    assert ROOMS_OVER_HTTP.keys() <= rooms
    assert PENDING - rooms == frozenset(), "a room has all its unit tests: take it out of PENDING"


@pytest.mark.parametrize(
    "room", sorted({room_of(each) for each in MODULES if "server/" in name_of(each)} - PENDING)
)
def test_every_file_of_unit_tests_is_named_after_a_module_of_its_room(room: str) -> None:
    """`test_policy_acts.py` may stand beside `test_policy.py`."""
    modules = [module.stem for module in (ROOT / room).glob("*.py")]
    for path in (UNIT_TESTS / Path(room).name).glob("test_*.py"):
        name = path.stem.removeprefix("test_")
        assert any(name == module or name.startswith(f"{module}_") for module in modules), path
