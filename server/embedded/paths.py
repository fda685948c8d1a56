"""Where the embedded store keeps its files. Server and guard each compute the same paths."""

import hashlib
import os
import stat
from pathlib import Path

SOCKET_PATH_BYTES = 103
"""macOS allows 104 with the closing NUL, Linux 108."""

SHORT_FOLDER = Path("/tmp")  # noqa: S108 require_own() checks who owns what is there


def store_folder(data_dir: Path) -> Path:
    """Return the folder of the embedded store.

    Args:
        data_dir: the data folder.

    Returns:
        An absolute path; it may not exist yet.
    """
    return data_dir.resolve() / "valkey"


def has_store(data_dir: Path) -> bool:
    """Return whether the embedded store ever ran in a data folder.

    Args:
        data_dir: the data folder.
    """
    try:
        return store_folder(data_dir).exists()
    except OSError:  # a folder that this user cannot look into; its use will say so
        return False


def log_path(data_dir: Path) -> Path:
    """Return the log file of Valkey and its guard.

    Args:
        data_dir: the data folder.

    Returns:
        An absolute path; it may not exist yet.
    """
    return store_folder(data_dir) / "valkey.log"


def owner_password_path(data_dir: Path) -> Path:
    """Return the file with the password of the store's owner, which is new at each start.

    Args:
        data_dir: the data folder.

    Returns:
        An absolute path; it may not exist yet.
    """
    return store_folder(data_dir) / "owner_password"


def socket_path(data_dir: Path) -> Path:
    """Return Valkey's socket: in its folder, or below `/tmp` if that path is too long.

    The short path depends only on the data folder and the user, not on the environment, so that a
    command in another terminal finds the same store.

    Args:
        data_dir: the data folder.

    Returns:
        An absolute path of at most 103 bytes.
    """
    path = store_folder(data_dir) / "valkey.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
        return path
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:32]
    return SHORT_FOLDER / f"curfew-{os.geteuid()}" / f"{name}.sock"


def require_own(folder: Path) -> None:
    """Refuse a folder in `/tmp` that another user has made; any other folder is the user's choice.

    Args:
        folder: the folder of a socket.

    Raises:
        OSError: a folder in `/tmp` does not exist, is no folder, or belongs to another user.
    """
    if folder.parent != SHORT_FOLDER:
        return
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError(f"{folder} is not a folder of this user")
