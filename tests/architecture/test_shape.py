"""The shape of the code: how deep classes stand, how long functions and files are."""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import handlers
import server

ROOT = Path(__file__).parents[2]
FILES = sorted(
    [
        *(ROOT / "server").rglob("*.py"),
        *(ROOT / "handlers").rglob("*.py"),
        ROOT / "run.py",
        ROOT / "settings.py",
    ]
)
DEEPEST = 4
"""Classes of ours that one may stand on. An application that derives from one stands on it, too."""
LONGEST_BODY = 40
"""Lines of a function's body, without its docstring."""
LONGEST_FILE = 300


def our_classes() -> Iterator[type]:
    """All classes that are defined in our packages."""
    for package in (handlers, server):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            for each in vars(importlib.import_module(module.name)).values():
                if inspect.isclass(each) and each.__module__ == module.name:
                    yield each


def test_no_class_stands_on_more_than_four_of_ours() -> None:
    depths = {
        each.__qualname__: [
            base.__name__
            for base in each.__mro__[1:]
            if base.__module__.partition(".")[0] in {"handlers", "server"}
        ]
        for each in our_classes()
    }
    assert len(depths) > 100, "the classes were not found"
    assert {name: bases for name, bases in depths.items() if len(bases) > DEEPEST} == {}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST_FILE
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    lengths = {
        node.name: body_lines(node)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, functions)
    }
    assert {name: n for name, n in lengths.items() if n > LONGEST_BODY} == {}


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement behind the docstring to the end."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
