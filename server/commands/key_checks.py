"""Decide which key a command means, and whether the change it asks for is safe.

A change is safe when every running server can read what is written with the first key, and when
nothing depends on a key that goes. `--force` skips these checks, never the choice of the key.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta

from server.commands.errors import CommandFailed
from server.commands.formatting import RecordCounts, hours, records
from server.core.plurals import counted
from server.crypto.keyring import version_of


def versions_of(keys: Sequence[bytes]) -> list[int]:
    """Return the versions of keys, in their order."""
    return [version_of(each) for each in keys]


def key_with(version: int, keys: Sequence[bytes]) -> bytes:
    """Return the key of a version.

    Raises:
        CommandFailed: there is no such key.
    """
    for key in keys:
        if version_of(key) == version:
            return key
    raise CommandFailed(f"There is no key {version}. See: python run.py keys list")


def key_to_retire(keys: Sequence[bytes], version: int | None, *, force: bool) -> bytes:
    """Return the key of a version, or the oldest key when no version was given.

    With `force` a version must be given: who retires a key in a hurry means a certain key, which
    need not be the oldest.

    Raises:
        CommandFailed: there is no such key, it is the only one, or force needs a version.
    """
    if force and version is None:
        raise CommandFailed("Say which: python run.py keys retire VERSION --force")
    key = keys[-1] if version is None else key_with(version, keys)
    if len(keys) == 1:
        raise CommandFailed("It is the only key. Add one first: python run.py keys add")
    return key


def require_readers(version: int, rings: Collection[tuple[int, ...]]) -> None:
    """Require that every running server has a key.

    Args:
        version: of the key.
        rings: the versions that each running server has.

    Raises:
        CommandFailed: a server does not have it.
    """
    without = sum(version not in ring for ring in rings)
    if without:
        raise CommandFailed(
            f"{without} of {counted(len(rings), 'running server')} "
            f"{'does' if without == 1 else 'do'} not have {version} yet, and could not read what "
            f"is written with it. Restart {'it' if without == 1 else 'them'} with this key file "
            "first."
        )


def require_not_first(version: int, keys: Sequence[bytes]) -> None:
    """Require that a key is not the first, which writes.

    Raises:
        CommandFailed: it is the first.
    """
    if version == version_of(keys[0]):
        raise CommandFailed(f"{version} is in front. Add or promote another one first.")


def require_no_records(version: int, counts: RecordCounts) -> None:
    """Require that no record in the store is sealed with a key.

    Raises:
        CommandFailed: there are such records.
    """
    if any(each == version for _, each in counts):
        raise CommandFailed(
            f"{records(version, counts)} are still under {version}. Seal them again: "
            "python run.py keys reseal"
        )


def require_no_cookies(version: int, left: timedelta) -> None:
    """Require that no browser can have a cookie that was signed with a key.

    Args:
        version: of the key.
        left: how long such a cookie may still be used; 0 for no cookies.

    Raises:
        CommandFailed: there may be such cookies.
    """
    if left:
        raise CommandFailed(
            f"A server wrote cookies with {version} not long ago. Whoever has one that was not "
            f"renewed would be signed out. Wait for {hours(left)}, or say --force."
        )
