"""The key file: one key a line, newest first, for its owner alone; changed in one step."""

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path

from server.core.errors import ConfigurationError

_SEPARATORS = re.compile(r"[\s,]+")


def split_keys(text: str) -> list[str]:
    """The keys in a text, as they were written."""
    return _SEPARATORS.split(text.strip())


def read_key_file(name: str, path: Path) -> str:
    """What is in a key file.

    Raises:
        ConfigurationError: it cannot be read, or others can; `name` is the setting's.
    """
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigurationError(f"{name}: other users can read {path}. Run: chmod 600 {path}")
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not ASCII text"
        raise ConfigurationError(
            f"{name}: {path}: {why}. `python run.py keys new` makes a key; set "
            "CURFEW_SECRET_KEYS to it, or write it to this file with mode 0600."
        ) from None


def make_key_file(path: Path, key: str) -> None:
    """Make the file with its first key, if there is none.

    Raises:
        ConfigurationError: the folder cannot be used.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(path, [key])
    except FileExistsError:
        return
    except OSError as error:
        raise ConfigurationError(
            f"CURFEW_DATA_DIR: {path.parent} cannot be used: {error.strerror}."
        ) from None


def replace_keys(path: Path, keys: Sequence[str]) -> None:
    """Put other keys into the file: whoever reads it finds the former ones or these, never less.

    Raises:
        FileExistsError: another command is changing it.
        OSError: it cannot be written; it is as it was.
    """
    target = path.resolve()  # a link stays one
    new = target.with_name(target.name + ".new")
    _write(new, keys)
    new.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write(path: Path, keys: Sequence[str]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.writelines(key + "\n" for key in keys)
        file.flush()
        os.fsync(file.fileno())
