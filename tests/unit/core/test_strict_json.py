"""JSON to the letter of RFC 8259, and one kind of error for everything else."""

import json
import math
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.session import Json
from server.core.strict_json import MAX_DEPTH, NotJson, encode, flaw_of, parse

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
finite = scalars.filter(lambda value: not (isinstance(value, float) and math.isinf(value)))
values = st.recursive(
    finite, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)
BOTTOMLESS: Final[dict[str, Any]] = {}
BOTTOMLESS["again"] = BOTTOMLESS


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        (" true ", True),
        ("-0", 0),
        ("1e2", 100.0),
        ('"\\u00e9\\n"', "é\n"),
        ('"\\ud83d\\ude00"', "😀"),
        ('[1, "a", {}]', [1, "a", {}]),
        ('{"a": {"a": 1}, "b": []}', {"a": {"a": 1}, "b": []}),
        ("9" * 4300, int("9" * 4300)),
    ],
)
def test_json_is_read(text: str, value: Json) -> None:
    assert parse(text) == value
    assert parse(text.encode()) == value
    assert type(parse(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "{}}",
        "[1,]",
        "{'a': 1}",
        "{a: 1}",
        '{"a" 1}',
        "01",
        ".5",
        "+1",
        "0x1",
        "tru",
        "undefined",
        "NaN",
        "Infinity",
        "-Infinity",
        '{"a": [NaN]}',
        "1e999",
        "-1e999",
        '"a\nb"',
        '"\\x41"',
        "// a\n1",
        '{"a": 1, "a": 1}',
        '{"a": 1, "\\u0061": 2}',
        '[{"a": {"b": 1, "b": 2}}]',
        "9" * 4301,
        "[" * 100_000,
        "[" * 100_000 + "]" * 100_000,
        '{"a":' * 100_000,
        "\ufeff{}",
        "\xa0{}",
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(NotJson):
        parse(text)
    with pytest.raises(NotJson):
        parse(text.encode())


@pytest.mark.parametrize(
    "raw", [b"\xff", b'"\xff"', b'"\xc0\xaf"', b'"\xed\xa0\x80"', "{}".encode("utf-16"), b'"\xe9"']
)
def test_bytes_must_be_utf_8(raw: bytes) -> None:
    with pytest.raises(NotJson):
        parse(raw)


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, [-math.inf], {"a": math.nan}, {1, 2}, b"a", Decimal(1), object(),
     {(1, 2): 3}, BOTTOMLESS],
)  # fmt: skip
def test_what_has_no_json_form_is_not_written(value: Any) -> None:
    with pytest.raises(NotJson):
        encode(value)


def test_what_is_written_is_compact_ascii() -> None:
    assert encode({"é": [1, None, "\u2028"]}) == '{"\\u00e9":[1,null,"\\u2028"]}'


@given(values)
def test_what_is_written_is_read_as_the_same(value: Json) -> None:
    text = encode(value)
    assert text.isascii()
    assert parse(text) == value


@given(st.text() | st.text('[]{}",:0123456789.eE-+ntf\\u'))
def test_what_is_read_is_what_python_reads_and_nothing_else_is_raised(text: str) -> None:
    try:
        value = parse(text)
    except NotJson:
        return
    assert value == json.loads(text)


def lists(depth: int) -> Json:
    """Return a number inside so many lists."""
    value: Json = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value", [None, 1, "é😀", [], {}, {"a": [1, {"b": None}]}, lists(MAX_DEPTH)]
)
def test_ordinary_json_has_no_flaw(value: Json) -> None:
    assert flaw_of(value) is None


@pytest.mark.parametrize("value", [lists(MAX_DEPTH + 1), {"a": lists(MAX_DEPTH)}])
def test_what_is_nested_too_deep_has_one(value: Json) -> None:
    assert flaw_of(value) == f"It is nested more than {MAX_DEPTH} levels deep."


@pytest.mark.parametrize(
    "value", ["\ud800", "a\udfffb", ["a", ["\ud83d"]], {"\udc00": 1}, {"a": {"b": "\ud800"}}]
)
def test_half_a_character_is_one_in_texts_and_keys(value: Json) -> None:
    assert flaw_of(value) == "It holds half a character, which is no text (a lone surrogate)."


@given(st.binary())
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    try:
        parse(raw)
    except NotJson:
        return
