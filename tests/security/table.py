"""Writes docs/security.md: what is asked, what was tried, and the test that proves each row.

Run `python -m tests.security.table` after a test was marked, renamed or removed. The marks are read
from the tests' source, so that a table takes no test run.
"""

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
HERE: Final = Path(__file__).resolve().parent
PAGE: Final = ROOT / "docs" / "security.md"
MOST_SHOWN: Final = 3
"""Tests named in a row; a reader wants one, and the number of the others."""

HEAD: Final = """\
# Security

What [OWASP ASVS 5.0](https://owasp.org/www-project-application-security-verification-standard/)
asks of a server like this, in our words, and the attacks that were tried, each with the test that
proves it. The [threat model](threat-model.md) says what is promised and what is not.
[SECURITY.md](../SECURITY.md) says how to report a vulnerability.

`python -m tests.security.table` writes this page from the marks of the tests
(`@pytest.mark.proves("7.4.1", "A31")`), and a test compares it with them. {summary}
"""


@dataclass(frozen=True)
class Row:
    """A requirement or an attack.

    Attributes:
        names: what marks call it; several where one answer serves several requirements.
        says: what is asked, or what is tried and expected.
        level: of ASVS, None for an attack.
        page: a document that answers it.
        not_applicable: why it is not ours to meet.
        deviation: why it is met in another way, or not.
    """

    names: Sequence[str]
    says: Sequence[str]
    level: int | None = None
    page: str = ""
    not_applicable: str = ""
    deviation: str = ""


@dataclass(frozen=True)
class Proof:
    """A marked test: its file from the project's folder, and its name as a sentence."""

    path: str
    sentence: str


def chapters(name: str) -> Mapping[str, Sequence[Row]]:
    """The rows of one file beside this one, by the titles of their chapters."""
    data = tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))
    return {
        str(chapter.pop("title")): [_row(names, row) for names, row in chapter.items()]
        for chapter in data.values()
    }


def _row(names: str, row: Mapping[str, Any]) -> Row:
    says = [str(row[key]) for key in ("asks", "tries", "expects") if key in row]
    kept = {"level", "page", "not_applicable", "deviation"}
    return Row(names.split(), says, **{key: row[key] for key in kept & row.keys()})


def proofs() -> Mapping[str, Sequence[Proof]]:
    """The marked tests of each row's name."""
    found: dict[str, list[Proof]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for row, proof in _marked(path):
            if proof not in found[row]:
                found[row].append(proof)
    return found


def _marked(path: Path) -> Iterator[tuple[str, Proof]]:
    source = path.read_text(encoding="utf-8")
    if "mark.proves" not in source:
        return
    tree = ast.parse(source)
    where = path.relative_to(ROOT).as_posix()
    everywhere = [row for node in tree.body for row in _rows_of_assignment(node)]
    yield from _marked_below(tree, where, everywhere)


def _marked_below(
    tree: ast.Module | ast.ClassDef, where: str, rows: Sequence[str]
) -> Iterator[Any]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from _marked_below(node, where, [*rows, *_rows_of(node.decorator_list)])
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_test(node.name):
            sentence = node.name.removeprefix("test_").replace("_", " ")
            for row in [*rows, *_rows_of(node.decorator_list)]:
                yield row, Proof(where, sentence)


def _is_test(name: str) -> bool:
    return name.startswith("test_")


def _rows_of_assignment(node: ast.stmt) -> Sequence[str]:
    """The rows of `pytestmark = …`."""
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
        return _rows_of([node.value])
    return []


def _rows_of(expressions: Sequence[ast.expr]) -> Sequence[str]:
    return [
        str(argument.value)
        for expression in expressions
        for call in ast.walk(expression)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.proves"
        for argument in call.args
        if isinstance(argument, ast.Constant)
    ]


def unproved(rows: Sequence[Row], proved: Mapping[str, Sequence[Proof]]) -> Sequence[Row]:
    """The rows for which nothing stands."""
    return [row for row in rows if not _standing(row, proved)]


def _standing(row: Row, proved: Mapping[str, Sequence[Proof]]) -> str:
    """The last cell of a row."""
    tests = list(dict.fromkeys(proof for name in row.names for proof in proved.get(name, ())))
    parts = [_links(tests)] if tests else []
    if row.page:
        parts.append(f"[{row.page.removeprefix('docs/')}]({row.page.removeprefix('docs/')})")
    if row.deviation:
        parts.append(f"**Deviation.** {row.deviation}")
    if row.not_applicable:
        parts.append(f"*Not applicable.* {row.not_applicable}")
    return "; ".join(parts)


def _links(tests: Sequence[Proof]) -> str:
    shown = "; ".join(f"[{each.sentence}](../{each.path})" for each in tests[:MOST_SHOWN])
    more = len(tests) - MOST_SHOWN
    return f"{shown}; and {more} more" if more > 0 else shown


def render() -> str:
    """The page."""
    proved = proofs()
    asked, tried = chapters("requirements"), chapters("attacks")
    parts = [HEAD.format(summary=_summary(asked, tried, proved)), "## Requirements\n"]
    for title, rows in asked.items():
        parts.append(_table(title, ["ASVS", "Level", "Asked", "Shown by"], rows, proved))
    parts.append("## Attacks\n")
    for title, rows in tried.items():
        parts.append(_table(title, ["", "Tried", "Expected", "Shown by"], rows, proved))
    return "\n".join(parts)


def _summary(
    asked: Mapping[str, Sequence[Row]],
    tried: Mapping[str, Sequence[Row]],
    proved: Mapping[str, Sequence[Proof]],
) -> str:
    rows = [row for part in (asked, tried) for each in part.values() for row in each]
    tests = {proof for row in rows for name in row.names for proof in proved.get(name, ())}
    by_test = sum(any(name in proved for name in row.names) for row in rows)
    deviations = sum(bool(row.deviation) for row in rows)
    aside = sum(bool(row.not_applicable) for row in rows)
    return (
        f"It has {len(rows)} rows: {len(tests)} tests prove {by_test} of them, {aside} do not "
        f"apply, {deviations} are deviations with a reason, and a page answers the others."
    )


def _table(
    title: str, heads: Sequence[str], rows: Sequence[Row], proved: Mapping[str, Sequence[Proof]]
) -> str:
    lines = [f"### {title}\n", _line(heads), _line(["---"] * len(heads))]
    for row in rows:
        level = [str(row.level)] if row.level is not None else []
        lines.append(_line([", ".join(row.names), *level, *row.says, _standing(row, proved)]))
    return "\n".join([*lines, ""])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
