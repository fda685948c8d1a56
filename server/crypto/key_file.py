"""The key file: one key per line, newest first, readable by its owner only, written in one step."""

import os
import re
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from server.core.errors import ConfigurationError

_SEPARATORS = re.compile(r"[\s,]+")


def split_keys(text: str) -> list[str]:
    """Return the keys in a text, as they are written there."""
    return _SEPARATORS.split(text.strip())


def read_key_file(name: str, path: Path) -> str:
    """Return the text of a key file.

    Args:
        name: the setting that names the file, for the error.
        path: the file.

    Raises:
        ConfigurationError: the file cannot be read, or other users can read it.
    """
    try:
        if _others_can_read(path.stat()):
            raise ConfigurationError(f"{name}: other users can read {path}. Run: chmod 600 {path}")
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not ASCII text"
        raise ConfigurationError(
            f"{name}: {path}: {why}. `python run.py keys new` makes a key; set "
            "CURFEW_SECRET_KEYS to it, or write it to this file with mode 0600."
        ) from None


def _others_can_read(file: os.stat_result) -> bool:
    """Return whether anybody but this user and root can read or change a file.

    A cluster's secrets belong to root, and the server's own group can read them (`fsGroup`).
    """
    is_of_cluster = file.st_uid == 0 != os.geteuid()
    return bool(stat.S_IMODE(file.st_mode) & (0o037 if is_of_cluster else 0o077))


def make_key_file(path: Path, key: str) -> None:
    """Make the file with its first key, unless it exists.

    Raises:
        ConfigurationError: the file or its folder cannot be made.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            _write(path, [key])
    except OSError as error:
        raise ConfigurationError(
            f"CURFEW_DATA_DIR: {path.parent} cannot be used: {error.strerror}."
        ) from None


def replace_keys(path: Path, keys: Sequence[str]) -> None:
    """Replace the keys in the file in one step: a reader finds all old keys, or all new ones.

    Raises:
        FileExistsError: another command is changing the file.
        OSError: the file cannot be written; it is unchanged.
    """
    target = path.resolve()  # so that a link stays a link
    new = target.with_name(target.name + ".new")
    _write(new, keys)
    new.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write(path: Path, keys: Sequence[str]) -> None:
    """Write a new file. It is there with all keys or, as on a full disk, not at all."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.writelines(key + "\n" for key in keys)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink()
        raise
