"""Where the rest of Curfew is: beside this package in a clone, inside it where it is installed.

The rest has four names at the top: `server`, `handlers`, `settings` and `run`. An application must
not use them.
"""

import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
INSTALLED: Final = HERE / "installed"
"""Holds the rest in an installed copy; a clone has no such folder."""
FOLDER: Final = INSTALLED if INSTALLED.is_dir() else HERE.parent
TAKEN: Final = ("server", "handlers", "settings", "run")
"""Names of modules that an application cannot have."""


def open_the_rest() -> None:
    """Make the rest importable.

    Raises:
        ImportError: another module has one of its names, and would be imported in its place.
    """
    if str(FOLDER) not in map(_resolved, sys.path):
        sys.path.append(str(FOLDER))
    for name in TAKEN:
        if (other := found_instead(name)) is not None:
            raise ImportError(
                f"The module {name!r} of {other} has a name that Curfew needs for its own. Rename "
                f"it. Curfew's names are {', '.join(TAKEN)}."
            )


def found_instead(name: str) -> Path | None:
    """Return the file of another module that has one of our names; None if ours is found."""
    module = sys.modules.get(name)
    spec = PathFinder.find_spec(name) if module is None else module.__spec__
    origin = spec.origin if spec else getattr(module, "__file__", None)
    if origin is None or Path(origin).resolve().is_relative_to(FOLDER):
        return None
    return Path(origin)


def _resolved(entry: str) -> str:
    return str(Path(entry).resolve())
