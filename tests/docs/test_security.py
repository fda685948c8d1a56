"""docs/security.md says what the tests' own marks say, and leaves no row open."""

from collections.abc import Sequence

import pytest

from tests.security.table import PAGE, ROOT, Row, chapters, proofs, render, unproved


def rows(name: str) -> Sequence[Row]:
    return [row for each in chapters(name).values() for row in each]


def test_the_page_is_what_the_marks_make() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run: python -m tests.security.table"


@pytest.mark.parametrize("name", ["requirements", "attacks"])
def test_every_row_is_answered(name: str) -> None:
    assert [row.names for row in unproved(rows(name), proofs())] == []


def test_every_mark_names_a_row() -> None:
    known = {
        name for part in ("requirements", "attacks") for row in rows(part) for name in row.names
    }
    assert set(proofs()) <= known


def test_every_page_that_answers_exists() -> None:
    pages = {row.page for part in ("requirements", "attacks") for row in rows(part) if row.page}
    assert [page for page in pages if not (ROOT / page).is_file()] == []
