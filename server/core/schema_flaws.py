"""Says what is wrong with a JSON value, by the part of JSON Schema that bodies are declared in.

`/openapi.json` shows the same schema, so what it says and what is accepted cannot differ. A keyword
that is not known here is refused where it is declared.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from server.core.session import Json

Schema = Mapping[str, Any]

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
_NOTES: Final = frozenset({"title", "description", "default", "examples", "format", "deprecated"})
"""Keywords that say something to people, and refuse nothing."""

Flaw = Callable[[Any, Any], str | None]
_LIMITS: Final[Mapping[str, Flaw]] = {
    "enum": lambda value, choices: None if value in choices else "is none of the choices",
    "const": lambda value, only: None if value == only else "has another value than it must have",
    "minLength": lambda text, least: "is too short" if len(text) < least else None,
    "maxLength": lambda text, most: "is too long" if len(text) > most else None,
    "pattern": lambda text, form: None if re.search(form, text) else "has the wrong form",
    "minimum": lambda number, least: "is too small" if number < least else None,
    "maximum": lambda number, most: "is too large" if number > most else None,
    "exclusiveMinimum": lambda number, least: "is too small" if number <= least else None,
    "exclusiveMaximum": lambda number, most: "is too large" if number >= most else None,
    "minItems": lambda items, least: "has too few items" if len(items) < least else None,
    "maxItems": lambda items, most: "has too many items" if len(items) > most else None,
}
_OF_TYPE: Final[Mapping[str, tuple[type, ...]]] = {
    "minLength": (str,), "maxLength": (str,), "pattern": (str,),
    "minimum": (int, float), "maximum": (int, float),
    "exclusiveMinimum": (int, float), "exclusiveMaximum": (int, float),
    "minItems": (list,), "maxItems": (list,),
}  # fmt: skip
"""Which values a keyword is about; it leaves all others alone."""
_STRUCTURE: Final = frozenset({"type", "items", "properties", "required", "additionalProperties"})
KNOWN: Final = _STRUCTURE | _LIMITS.keys() | _NOTES


def flaw_of(value: Json, schema: Schema) -> str | None:
    """Return what is wrong with a value, as the end of a sentence; None if it fits.

    Args:
        value: as it was sent.
        schema: of the value.
    """
    if "type" in schema and not any(_is_of(value, each) for each in _names(schema["type"])):
        return "has the wrong type"
    for keyword, limit in schema.items():
        check = _LIMITS.get(keyword)
        is_about = keyword not in _OF_TYPE or _has_type(value, _OF_TYPE[keyword])
        if check and is_about and (flaw := check(value, limit)):
            return flaw
    if isinstance(value, list) and "items" in schema:
        found = (flaw_of(each, schema["items"]) for each in value)
        return next((f"has an item that {flaw}" for flaw in found if flaw), None)
    return _flaw_of_object(value, schema) if isinstance(value, dict) else None


def unknown_keywords(schema: Schema) -> set[str]:
    """Return the keywords of a schema, and of its parts, that are not checked here."""
    parts = [*schema.get("properties", {}).values(), *filter(None, [schema.get("items")])]
    more = schema.get("additionalProperties")
    parts += [more] if isinstance(more, Mapping) else []
    inner = (unknown_keywords(each) for each in parts)
    return set().union(schema.keys() - KNOWN, *inner)


def _flaw_of_object(value: Mapping[str, Json], schema: Schema) -> str | None:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name in schema.get("required", ()):
        if name not in value:
            return f"lacks `{name}`"
    for name, each in value.items():
        if name not in properties and others is False:
            return f"has {name[:40]!a}, which is too much"
        inner = properties.get(name, others if isinstance(others, Mapping) else {})
        if flaw := flaw_of(each, inner):
            return f"has {name[:40]!a}, which {flaw}"
    return None


def _names(kind: str | list[str]) -> list[str]:
    return [kind] if isinstance(kind, str) else kind


def _is_of(value: Json, kind: str) -> bool:
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return _has_type(value, _TYPES[kind])


def _has_type(value: Json, types: tuple[type, ...]) -> bool:
    """Return whether a value is of one of the types; true and false are no numbers."""
    return isinstance(value, types) and (bool in types or not isinstance(value, bool))
