"""The vocabulary against the names in the code: one word for each idea."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.docs.markdown import ROOT, code, page, table

PAGE = page("docs/vocabulary.md")
ROWS = table(PAGE, "word")
SOURCES = sorted(
    [*ROOT.glob("*.py"), *(ROOT / "curfew").glob("*.py"), *(ROOT / "curfew/testing").glob("*.py"),
     *(ROOT / "handlers").rglob("*.py"), *(ROOT / "server").rglob("*.py")]
)  # fmt: skip
PLACES = {source.relative_to(ROOT): ast.parse(source.read_text("utf-8")) for source in SOURCES}


def test_no_word_has_two_rows() -> None:
    words = Counter(word for row in ROWS for word in re.findall(r"\*\*(.+?)\*\*", row[0]))
    assert [word for word, times in words.items() if times > 1] == []


def test_every_class_that_the_page_names_is_there() -> None:
    named = {each for row in ROWS for each in code(row[1]) if re.fullmatch(r"([A-Z][a-z]+)+", each)}
    assert named
    assert named <= set(classes())


def test_no_two_classes_have_the_same_name() -> None:
    assert [name for name, times in Counter(classes()).items() if times > 1] == []


def classes() -> Iterator[str]:
    """Yield the name of each public class and type alias at the top of a module."""
    for tree in PLACES.values():
        for node in tree.body:
            match node:
                case ast.ClassDef(name=name):
                    yield name
                case ast.Assign(targets=[ast.Name(name)], value=ast.BinOp(op=ast.BitOr())):
                    yield name


@pytest.mark.parametrize("word", sorted({word for row in ROWS for word in code(row[2])}))
def test_a_name_that_the_page_rules_out_is_nowhere(word: str) -> None:
    found = {str(path) for path, tree in PLACES.items() if word in words_of(tree)}
    assert found == set()


def words_of(tree: ast.Module) -> set[str]:
    """Return all names that a module gives, whole and in pairs of words and single words."""
    found = set()
    for name in names_of(tree):
        words = [each.lower() for each in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)]
        found |= {*words, *map("_".join, pairwise(words))}
    return found


def names_of(tree: ast.Module) -> Iterator[str]:
    """Yield the names of functions, classes, arguments, variables and attributes."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
