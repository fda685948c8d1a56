"""Settings of an application of one's own: a dataclass, read from variables under its own prefix.

The annotations say what each variable takes. The same reader as for ours reads them, and refuses a
wrong value and a misspelt name with the same sentences.
"""

import enum
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import timedelta
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from server.core.environment import Environment, refusal
from server.core.errors import ConfigurationError
from server.core.setting_names import OF_APPLICATIONS, PREFIX, refuse_unknown

Read = TypeVar("Read")

_PREFIX: Final = re.compile(r"[A-Z][A-Z0-9_]{0,38}_")
_WHOLE: Final = re.compile(r"[+-]?\d{1,18}")
_FLAGS: Final = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_NO_NUMBER: Final = "a number"
_A_DURATION: Final = "1s"
"""Read in place of a duration that is not set; the field's own default is used."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a number may be: `Annotated[int, Bounds(1, 100)]`.

    Attributes:
        least: the smallest value.
        most: the largest value.
    """

    least: float = -math.inf
    most: float = math.inf


class Secret(enum.Enum):
    """Marks a setting whose value no line may show: `Annotated[str, SECRET]`."""

    SECRET = enum.auto()


SECRET: Final = Secret.SECRET


def flaw_of_prefix(prefix: str) -> str | None:
    """Return why variables must not begin like this, as a sentence; None if they may."""
    if not _PREFIX.fullmatch(prefix):
        return f"The prefix {prefix!r} must be capital letters, digits and _, with _ at its end."
    if prefix.startswith(PREFIX) and not prefix.startswith(OF_APPLICATIONS):
        return f"The prefix {prefix!r} belongs to Curfew; use another one, or {OF_APPLICATIONS}."
    return None


def read_own_settings(kind: type[Read], prefix: str, variables: Mapping[str, str]) -> Read:
    """Read the settings of an application.

    Args:
        kind: a dataclass. The field `room_limit` is the variable `HUDDLE_ROOM_LIMIT`. A field
            without a default must be set.
        prefix: what its variables begin with, such as `HUDDLE_`.
        variables: by name.

    Raises:
        ConfigurationError: a variable is missing, wrong or misspelt. Its text is one line.
        TypeError: the dataclass cannot be read from variables, which is a mistake in the program.
    """
    if not is_dataclass(kind):
        raise TypeError(f"{kind!r} is no dataclass")
    read, hints = Environment(variables), get_type_hints(kind, include_extras=True)
    own = [each for each in fields(kind) if each.init]
    refuse_unknown(variables, {_name(prefix, each) for each in own}, prefix, f"{kind.__name__} has")
    values: dict[str, Any] = {}
    for each in own:
        name = _name(prefix, each)
        parse = _parser(hints[each.name], f"{kind.__name__}.{each.name}")
        if read.text(name, ""):
            values[each.name] = parse(read, name)
        elif each.default is MISSING and each.default_factory is MISSING:
            raise ConfigurationError(f"{name} is not set, and has no default.")
    try:
        return kind(**values)
    except ValueError as error:  # the dataclass compares its fields with each other
        raise ConfigurationError(f"{prefix}…: {error}") from None


Parse = Callable[[Environment, str], Any]


def _parser(hint: Any, where: str) -> Parse:
    """Return what reads a value of this type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1:], where)
    if (
        origin in {Union, UnionType}
        and len(rest := [a for a in arguments if a is not NoneType]) == 1
    ):
        return _parser(rest[0], where)
    if origin is Literal:
        return _one_of({str(each): each for each in arguments})
    if origin is tuple and arguments == (str, ...):
        return lambda read, name: tuple(
            each.strip() for each in read.text(name, "").split(",") if each.strip()
        )
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _one_of({str(each.value): each for each in hint})
    if hint in _PARSERS:
        return _PARSERS[hint]
    raise TypeError(f"{where} is of a type that no variable holds: {hint!r}")


def _one_of(choices: Mapping[str, Any]) -> Parse:
    """Return what reads one of the values, each by the word that stands for it."""
    return lambda read, name: choices[read.choice(name, "", *choices)]


def _annotated(hint: Any, notes: tuple[Any, ...], where: str) -> Parse:
    parse = _parser(hint, where)
    bounds = next((each for each in notes if isinstance(each, Bounds)), None)

    def checked(read: Environment, name: str) -> Any:
        try:
            value = parse(read, name)
            if bounds is not None and not bounds.least <= value <= bounds.most:
                raise refusal(name, read.text(name, ""), _between(hint, bounds))
        except ConfigurationError:
            if SECRET in notes:
                raise ConfigurationError(f"{name} has a value that it does not take.") from None
            raise
        return value

    return checked


def _between(hint: Any, bounds: Bounds) -> str:
    kind = "a whole number" if hint is int else _NO_NUMBER
    least = "" if bounds.least == -math.inf else f" from {bounds.least:g}"
    most = "" if bounds.most == math.inf else f" to {bounds.most:g}"
    return f"{kind}{least}{most}"


def _whole(read: Environment, name: str) -> int:
    if not _WHOLE.fullmatch(text := read.text(name, "")):
        raise refusal(name, text, "a whole number")
    return int(text)


def _number(read: Environment, name: str) -> float:
    text = read.text(name, "")
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise refusal(name, text, _NO_NUMBER)
    return number


def _flag(read: Environment, name: str) -> bool:
    text = read.text(name, "")
    if (flag := _FLAGS.get(text.lower())) is None:
        raise refusal(name, text, "yes or no")
    return flag


_PARSERS: Final[Mapping[Any, Parse]] = {
    str: lambda read, name: read.text(name, ""),
    int: _whole,
    float: _number,
    bool: _flag,
    timedelta: lambda read, name: read.duration(name, _A_DURATION),
    Path: lambda read, name: Path(read.text(name, "")).absolute(),
}


def _name(prefix: str, field: Field[Any]) -> str:
    return prefix + field.name.upper()
