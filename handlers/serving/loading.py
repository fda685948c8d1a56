"""Finds the application that a command line names: `--app huddle:application`."""

import importlib
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Protocol, runtime_checkable

from server.core.errors import ConfigurationError

USAGE = "--app takes a module and the name of an Application in it, such as huddle:application"


@runtime_checkable
class Program(Protocol):
    """An application as the entry needs it."""

    def main(self, words: Sequence[str] | None = None) -> int:
        """Run the command line."""


def named_application(words: Sequence[str]) -> tuple[Program | None, Sequence[str]]:
    """Return the application that the words name, and the other words.

    Args:
        words: as typed. `--app` comes first, if it is there.

    Raises:
        ConfigurationError: there is no such application.
    """
    if not words or words[0].partition("=")[0] != "--app":
        return None, words
    _, separator, name = words[0].partition("=")
    rest = words[1:] if separator else words[2:]
    name = name if separator else "".join(words[1:2])
    module, _, attribute = name.partition(":")
    if not attribute.isidentifier() or not all(map(str.isidentifier, module.split("."))):
        raise ConfigurationError(f"{USAGE}.")
    imported = _module(module)
    if not hasattr(imported, attribute):
        raise ConfigurationError(f"The module {module!r} has no {attribute!r}. {USAGE}.")
    found = getattr(imported, attribute)
    if not isinstance(found, Program):
        raise ConfigurationError(f"{name} is no Application. {USAGE}.")
    return found, rest


def _module(name: str) -> ModuleType:
    if "" not in sys.path:
        sys.path.insert(0, "")  # where it was typed, as `python -m` does
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if not f"{name}.".startswith(f"{error.name}."):  # it, or a package above it
            raise
        raise ConfigurationError(f"There is no module {name!r} here. {USAGE}.") from None
