"""Secrets are compared in constant time: `==` tells by its time how much of a guess was right."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
AT_THE_START = {"server/crypto/keyring.py: ring[version] == secret"}
"""Of the operator's own keys with each other: no client takes part, so none can take the time."""
SECRET = re.compile(
    r"secret|seed|signature|\bmac\b|csrf|password_hash|\bcode\b|digest", re.IGNORECASE
)


def comparisons() -> Iterator[str]:
    """Every `==` of ours between two values of which one is named as a secret."""
    for path in [*ROOT.glob("server/**/*.py"), *ROOT.glob("handlers/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare) and _compares_secrets(node):
                yield f"{path.relative_to(ROOT)}: {ast.unparse(node)}"


def _compares_secrets(node: ast.Compare) -> bool:
    sides = [node.left, *node.comparators]
    if any(isinstance(side, ast.Constant) for side in sides):
        return False
    equals = any(isinstance(how, ast.Eq | ast.NotEq) for how in node.ops)
    return equals and any(SECRET.search(_name(side)) for side in sides)


def _name(side: ast.expr) -> str:
    if isinstance(side, ast.Attribute):
        return side.attr
    return side.id if isinstance(side, ast.Name) else ""


@pytest.mark.proves("11.2.4", "A100")
def test_no_secret_is_compared_by_the_usual_operators() -> None:
    assert set(comparisons()) <= AT_THE_START
