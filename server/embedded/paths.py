"""Where the embedded store keeps its things; server and guard must agree on it without talking."""

import hashlib
import os
import stat
from pathlib import Path

SOCKET_PATH_BYTES = 103
"""macOS has room for 104 with the closing NUL, Linux for 108."""

SHORT_PLACE = Path("/tmp")  # noqa: S108 refuse_foreign() checks what is found there


def store_folder(data_dir: Path) -> Path:
    """Return the folder with everything of the embedded store.

    Args:
        data_dir: The data folder.

    Returns:
        An absolute path; it may not exist yet.
    """
    return data_dir.resolve() / "valkey"


def log_path(data_dir: Path) -> Path:
    """Return the log of Valkey and its guard.

    Args:
        data_dir: The data folder.

    Returns:
        An absolute path; it may not exist yet.
    """
    return store_folder(data_dir) / "valkey.log"


def socket_path(data_dir: Path) -> Path:
    """Return where Valkey listens: in its folder, or below `/tmp` if that path is too long.

    The short path depends on the data folder and the user alone, not on the environment, so that
    a command typed in another terminal finds the same store.

    Args:
        data_dir: The data folder.

    Returns:
        An absolute path of at most 103 bytes.
    """
    path = store_folder(data_dir) / "valkey.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
        return path
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:32]
    return SHORT_PLACE / f"curfew-{os.geteuid()}" / f"{name}.sock"


def refuse_foreign(folder: Path) -> None:
    """Refuse a folder in `/tmp` that somebody else has made; any other place is its owner's choice.

    Args:
        folder: The folder of a socket.

    Raises:
        OSError: When a folder in `/tmp` does not exist, is no folder, or is not ours.
    """
    if folder.parent != SHORT_PLACE:
        return
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError(f"{folder} is not a folder of this user")
