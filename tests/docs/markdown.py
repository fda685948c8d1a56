"""Reads the project's pages: links, anchors, code blocks and tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        language: the word after the fence.
        text: what is in it.
        name: of the file that a comment right above it names; empty without one.
    """

    language: str
    text: str
    name: str = ""


def page(name: str) -> Path:
    """A page by its path from the project's folder."""
    return ROOT / name


def blocks(path: Path, *languages: str) -> list[Block]:
    """The fenced blocks of a page in these languages, or all, in order."""
    found, name = [], ""
    for token in _tokens(path):
        comment = re.fullmatch(r"<!-- ([\w./]+) -->\s*", token.content)
        if token.type == "fence":
            if not languages or token.info in languages:
                found.append(Block(token.info, token.content, name))
            name = ""
        elif token.type == "html_block" and comment:
            name = comment[1]
    return found


def links(path: Path) -> Iterator[str]:
    """Where the links and images of a page lead to."""
    for token in _inline(path):
        target = token.attrGet("href") if token.type == "link_open" else token.attrGet("src")
        if isinstance(target, str):
            yield target


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    tokens = _tokens(path)
    headings = [
        tokens[place + 1].content
        for place, token in enumerate(tokens)
        if token.type == "heading_open"
    ]
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def table(path: Path, first: str) -> list[list[str]]:
    """The rows of the tables whose first column has this title, as they are written."""
    rows, inside = [], False
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[0] == first:
            inside = True
        elif inside and not set(cells[0]) <= set("-"):
            rows.append(cells)
    return rows


def code(text: str) -> list[str]:
    """What stands between backticks in a text."""
    return re.findall(r"`([^`]+)`", text)


def _tokens(path: Path) -> list[Token]:
    return _parsed(path.read_text(encoding="utf-8"))


@cache
def _parsed(text: str) -> list[Token]:
    """Many tests look at each page: it is parsed once."""
    return MarkdownIt("commonmark").enable("table").parse(text)


def _inline(path: Path) -> Iterator[Token]:
    for token in _tokens(path):
        yield from token.children or ()
