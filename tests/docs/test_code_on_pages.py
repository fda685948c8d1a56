"""The Python on the pages fits the code: what it imports is there, and so is what it uses of it."""

import ast
import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.docs.markdown import PAGES, ROOT, blocks

BLOCKS = [
    pytest.param(block.text, id=f"{path.relative_to(ROOT)}-{number}")
    for path in PAGES
    for number, block in enumerate(blocks(path, "python"))
    if block.text.startswith(('"', "from", "import", "class"))
]

OF_EVERY_HANDLER = {"request"}
"""What Tornado's handlers get when they are made."""


@pytest.mark.parametrize("text", BLOCKS)
def test_what_a_page_imports_is_there(text: str) -> None:
    assert None not in imported(text).values()


@pytest.mark.parametrize("text", BLOCKS)
def test_what_a_handler_on_a_page_sets_and_uses_is_known_to_its_base(text: str) -> None:
    names = imported(text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            bases = [names[base.id] for base in node.bases if isinstance(base, ast.Name)]
            for attribute in {*set_by(node), *used_of_self(node)} - OF_EVERY_HANDLER:
                assert any(known_to(base, attribute) for base in bases), attribute


def imported(text: str) -> dict[str, Any]:
    """Return what a program imports by name; None for what is not there."""
    found: dict[str, Any] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module or "")
            found |= {alias.name: getattr(module, alias.name, None) for alias in node.names}
    return found


def set_by(node: ast.ClassDef) -> Iterator[str]:
    """Yield the methods and attributes that a class defines."""
    for each in node.body:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            yield each.name
        elif isinstance(each, ast.Assign):
            yield from (target.id for target in each.targets if isinstance(target, ast.Name))


def used_of_self(node: ast.ClassDef) -> Iterator[str]:
    """Yield the attributes of itself that a class uses."""
    for each in ast.walk(node):
        match each:
            case ast.Attribute(value=ast.Name("self"), attr=name):
                yield name


def known_to(base: type, attribute: str) -> bool:
    """Return whether a class has an attribute, or says that its objects have."""
    return any(
        attribute in {*vars(each), *vars(each).get("__annotations__", {})} for each in base.__mro__
    )
