"""JSON by RFC 8259, for everything that comes from outside and goes into records.

Python's parser also accepts NaN, Infinity and numbers that overflow to them, and keeps the last of
two equal keys. Python's encoder also writes NaN and Infinity. The functions here refuse all of
these, with one kind of exception.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Final

from server.core.session import Json

MAX_DEPTH: Final = 32
"""The most lists and objects around any value. Python reads and writes JSON by recursion: without
this limit a value that can be parsed here may fail to be written where less stack is left."""

_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


class NotJson(ValueError):
    """The text is not JSON, or the value cannot be written as JSON."""


def parse(text: str | bytes) -> Json:
    """Parse a JSON text (bytes must be UTF-8).

    Raises:
        NotJson: the text is not JSON, or is nested too deep for Python.
    """
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        value: Json = _DECODER.decode(decoded)
    except (ValueError, RecursionError) as error:
        raise NotJson("not JSON") from error
    return value


def encode(value: Json | Mapping[str, Json]) -> str:
    """Return the value as compact ASCII text.

    Raises:
        NotJson: the value holds something that cannot be written as JSON.
    """
    try:
        return _ENCODER.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise NotJson("no JSON form") from error


def _refuse(constant: str) -> Json:
    raise NotJson(constant)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotJson(text)
    return number


def _without_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise NotJson("a key stands twice")
    return mapping


_DECODER: Final = json.JSONDecoder(
    parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_without_duplicates
)
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


def flaw_of(value: Json) -> str | None:
    """Return why valid JSON is refused nevertheless, as a sentence; None if it is not."""
    layer: Sequence[Json] = [value]
    for _ in range(MAX_DEPTH + 1):
        if any(isinstance(each, str) and _HALF_CHARACTER.search(each) for each in layer):
            return "It holds half a character, which is no text (a lone surrogate)."
        layer = [inner for each in layer for inner in _inside(each)]
        if not layer:
            return None
    return f"It is nested more than {MAX_DEPTH} levels deep."


def _inside(value: Json) -> Sequence[Json]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    return value if isinstance(value, list) else ()
