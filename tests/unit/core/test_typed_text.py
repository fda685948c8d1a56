"""Blanks around a name or a code go; what is inside stays."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.typed_text import DASHES, INVISIBLE, trimmed


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("ada", "ada"),
        (" ada ", "ada"),
        ("\tada\r\n", "ada"),
        ("\xa0\u2009ada\u3000", "ada"),
        ("\ufeff \u200bada\u200e ", "ada"),
        ("a da", "a da"),
        ("a\u200bda", "a\u200bda"),
        (" \u200b ", ""),
        ("", ""),
    ],
)
def test_blanks_go_at_the_ends_alone(text: str, left: str) -> None:
    assert trimmed(text) == left


@given(st.text())
def test_nothing_that_one_sees_goes(text: str) -> None:
    left = trimmed(text)
    assert left in text
    gone = text.replace(left, "", 1) if left else text
    assert all(each.isspace() or each in INVISIBLE for each in gone)


@given(st.text())
def test_what_is_trimmed_stays_as_it_is(text: str) -> None:
    assert trimmed(trimmed(text)) == trimmed(text)
    assert not trimmed(text).startswith(" ")
    assert trimmed(text).strip() == trimmed(text)


def test_the_marks_are_what_they_are_said_to_be() -> None:
    assert {unicodedata.category(each) for each in INVISIBLE} == {"Cf"}
    assert {unicodedata.category(each) for each in DASHES} == {"Pd", "Sm"}
