"""Requests that no handler sees: each refusal has a problem of its own."""

import ast
from http import HTTPStatus
from pathlib import Path

from handlers.http.refusals import UNREAD

FRONT = Path(__file__).parents[4] / "handlers" / "front"


def test_every_status_that_the_front_refuses_with_has_its_problem() -> None:
    """It would fail at the refusal, in front of the client."""
    named = {
        HTTPStatus[node.attr]
        for file in FRONT.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "HTTPStatus"
    }
    assert {each for each in named if each >= 400} == set(UNREAD)


def test_each_problem_has_a_slug_of_its_own() -> None:
    assert len({each.slug for each in UNREAD.values()}) == len(UNREAD)
