"""Writes a small complete application: `python -m curfew.new huddle ../huddle`, or `make app`.

It copies `curfew/skeleton`, an application named huddle, under another name.
"""

import argparse
import importlib.util
import keyword
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from curfew.places import FOLDER, HERE, INSTALLED, TAKEN
from server.core.own_settings import flaw_of_prefix

SKELETON: Final = HERE / "skeleton"
OURS: Final = frozenset({*TAKEN, "curfew", "tests"})
NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,29}")


def flaw_of_name(name: str) -> str | None:
    """Return why an application cannot have this name, as a sentence; None if it can."""
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        return f"The name {name!r} must be one of a Python package: small letters, digits and _."
    if name in OURS:
        return f"The name {name!r} is Curfew's own. Choose another one."
    if name in sys.stdlib_module_names or importlib.util.find_spec(name) is not None:
        return f"There is a package {name!r} already, which yours would hide. Choose another name."
    if flaw := flaw_of_prefix(f"{name.upper()}_"):
        return f"Its variables would begin with the name {name!r}. {flaw}"
    return None


def flaw_of_folder(folder: Path) -> str | None:
    """Return why the application cannot be written there, as a sentence; None if it can."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        return f"{folder} is there already, and not empty."
    if not INSTALLED.is_dir() and folder.resolve().is_relative_to(FOLDER):
        return f"{folder} is inside the clone of Curfew. Choose a folder outside it."
    return None


def write_application(name: str, folder: Path) -> None:
    """Write an application.

    Args:
        name: of its package.
        folder: of the application; its parents are made if they are missing.

    Raises:
        OSError: a file cannot be written.
    """
    for source in sorted(SKELETON.rglob("*")):
        if source.is_file() and "__pycache__" not in source.parts:
            path = folder / _renamed(source.relative_to(SKELETON).as_posix(), name)
            path = path.with_name(".gitignore") if path.name == "gitignore" else path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_renamed(source.read_text("utf-8"), name), "utf-8")


def _renamed(text: str, name: str) -> str:
    words = {"huddle": name, "Huddle": _title(name), "HUDDLE": name.upper()}
    text = re.sub("huddle|Huddle|HUDDLE", lambda match: words[match[0]], text)
    clone = "" if INSTALLED.is_dir() else str(FOLDER)
    python = shlex.quote(sys.executable)
    return text.replace("@CURFEW@", _in_make(clone)).replace("@PYTHON@", _in_make(python))


def _in_make(text: str) -> str:
    """Return what make reads as this text."""
    return text.replace("$", "$$").replace("#", r"\#")


def _title(name: str) -> str:
    return name.replace("_", " ").strip().capitalize()


def main(words: Sequence[str] | None = None) -> int:
    """Write an application, say what to do next, and return the exit status.

    Args:
        words: a name and a folder; None takes them from the process.
    """
    parser = argparse.ArgumentParser(prog="curfew new", description="Writes a new application.")
    parser.add_argument("name", help="of its package, such as huddle")
    parser.add_argument("folder", type=Path, help="where to write it; it must not be there yet")
    given = parser.parse_args(words)
    if flaw := flaw_of_name(given.name) or flaw_of_folder(given.folder):
        sys.stderr.write(f"{flaw}\n")
        return 1
    try:
        write_application(given.name, given.folder)
    except OSError as error:
        sys.stderr.write(f"{error.filename} cannot be written: {error.strerror}.\n")
        return 1
    sys.stdout.write(f"{given.folder} has the application. Next: cd {given.folder}; make test\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
