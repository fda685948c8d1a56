"""JSON as RFC 8259 has it, for everything that comes from outside and goes into records.

Python's reader also takes NaN, Infinity and numbers that overflow to them, and lets the last of
two equal keys win; its writer would send them on. This one refuses, in one kind of error.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Final

from server.core.session import Json

MAX_DEPTH: Final = 32
"""Of what stands in lists and objects. Python reads and writes JSON by recursion, so what was
just shallow enough to be read here would fail where less of the stack is left."""

_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


class NotJson(ValueError):
    """The text is not JSON, or the value cannot be written as JSON."""


def parse(text: str | bytes) -> Json:
    """The value in `text` (bytes must be UTF-8).

    Raises:
        NotJson: for anything else, however deep or large.
    """
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        value: Json = json.loads(
            decoded,
            parse_constant=_refuse,
            parse_float=_finite,
            object_pairs_hook=_without_duplicates,
        )
    except (ValueError, RecursionError) as error:
        raise NotJson("not JSON") from error
    return value


def encode(value: Json | Mapping[str, Json]) -> str:
    """The value as compact ASCII text.

    Raises:
        NotJson: the value holds something that JSON has no form for.
    """
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
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


def flaw_of(value: Json) -> str | None:
    """What is wrong, in a sentence, with a value that JSON as such allows; None if nothing is."""
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
