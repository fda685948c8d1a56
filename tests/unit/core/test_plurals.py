"""Numbers in lines of commands and logs have the words that fit them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.core.plurals import counted

ROOT = Path(__file__).parents[3]
WORDS = (
    "account", "code", "line", "list", "node", "passkey", "record", "second", "server", "session",
    "socket", "tab", "try", "tries", "user", "worker",
)  # fmt: skip
COUNTED = rf"(?!at )(?:[a-z]+ )?(?:{'|'.join(WORDS)})s?\b"
BARE = re.compile(rf"(?:\0|%d) {COUNTED}")
"""A value, and behind it a word that one counts."""


@pytest.mark.parametrize(
    ("number", "words", "said"),
    [
        (0, ("socket",), "0 sockets"),
        (1, ("socket",), "1 socket"),
        (2, ("socket",), "2 sockets"),
        (1, ("try", "tries"), "1 try"),
        (5, ("try", "tries"), "5 tries"),
    ],
)
def test_a_number_has_its_words(number: int, words: tuple[str, ...], said: str) -> None:
    assert counted(number, *words) == said


def test_no_line_of_a_command_or_a_log_counts_without_them() -> None:
    files = [ROOT / "run.py", ROOT / "settings.py"]
    files += [*(ROOT / "server").rglob("*.py"), *(ROOT / "handlers").rglob("*.py")]
    found = {
        text.replace("\0", "{}") for file in files for text in texts(file) if BARE.search(text)
    }
    assert found == set()


def texts(file: Path) -> Iterator[str]:
    """The texts in a file, with a zero byte for each value in an f-string."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            parts = (each.value if isinstance(each, ast.Constant) else "\0" for each in node.values)
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
