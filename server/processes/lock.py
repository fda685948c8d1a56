"""The lock of a data folder, for one server at a time.

It is an `flock`: the kernel frees it when its holders are gone, however they ended.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

LEFTOVERS_SECONDS = 15.0
"""How long a start waits for the workers of a killed server to notice its end, and to stop."""

POLL_SECONDS = 0.05

LOCK_NAME = "server.lock"


class AlreadyRunning(Exception):
    """Another server holds the data folder.

    Args:
        data_dir: The folder.
        pid: The process that holds it; None if it could not be read.
    """

    def __init__(self, data_dir: Path, pid: int | None) -> None:
        """Keep the facts, from which `str` makes the text."""
        super().__init__(data_dir, pid)
        self.data_dir = data_dir
        self.pid = pid

    def __str__(self) -> str:
        """Say in one line who holds the folder, and what to do."""
        who = "pid unknown" if self.pid is None else f"pid {self.pid}"
        return (
            f"another Curfew ({who}) serves from {self.data_dir}: "
            "stop it first, or set CURFEW_DATA_DIR to another folder"
        )


class FolderUnusable(Exception):
    """The data folder cannot be made, or not be written in.

    Args:
        data_dir: The folder.
        reason: What the system says.
    """

    def __init__(self, data_dir: Path, reason: str) -> None:
        """Keep the facts, from which `str` makes the text."""
        super().__init__(data_dir, reason)
        self.data_dir = data_dir
        self.reason = reason

    def __str__(self) -> str:
        """Say in one line which setting names the folder, and what is wrong with it."""
        return f"CURFEW_DATA_DIR: {self.data_dir} cannot be used: {self.reason}."


@contextmanager
def locked_folder(data_dir: Path, *, required: bool = True) -> Iterator[None]:
    """Hold `server.lock` of a data folder. The folder is made if it is missing.

    Forked workers share the lock, so it is free only when the last of them is gone. If the holder
    was killed, wait for its workers; if it lives, raise at once.

    Args:
        data_dir: The folder.
        required: Whether a folder that cannot be used is refused. If not, there is no lock then.

    Yields:
        Nothing. The lock is held inside the context.

    Raises:
        AlreadyRunning: another server holds the folder.
        FolderUnusable: this user cannot write in it.
    """
    try:
        file = _open(data_dir)
    except FolderUnusable:
        if required:
            raise
        yield
        return
    with file:
        _take(file, data_dir)
        _write_pid(file, data_dir)
        yield


def try_lock(file: IO[str]) -> bool:
    """Take the lock of an open file, if it is free.

    Args:
        file: The file. The lock is free again when every process has closed its copy.

    Returns:
        Whether this process holds the lock now.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_locked(data_dir: Path) -> bool:
    """Return whether a server, or a worker that it left behind, uses a data folder.

    Args:
        data_dir: The folder.
    """
    try:
        with (data_dir / LOCK_NAME).open("r+", encoding="ascii") as file:
            return not try_lock(file)
    except FileNotFoundError:
        return False


def _take(file: IO[str], data_dir: Path) -> None:
    deadline = time.monotonic() + LEFTOVERS_SECONDS
    while not try_lock(file):
        holder = _read_pid(file)
        if holder is None or _lives(holder) or time.monotonic() > deadline:
            raise AlreadyRunning(data_dir, holder)
        time.sleep(POLL_SECONDS)


def _open(data_dir: Path) -> IO[str]:
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return (data_dir / LOCK_NAME).open("a+", encoding="ascii")
    except OSError as error:
        raise FolderUnusable(data_dir, error.strerror or str(error)) from None


def _write_pid(file: IO[str], data_dir: Path) -> None:
    try:
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), f"{os.getpid()}\n".encode("ascii"))
    except OSError as error:  # as on a full disk
        raise FolderUnusable(data_dir, error.strerror or str(error)) from None


def _read_pid(file: IO[str]) -> int | None:
    file.seek(0)
    text = file.read().strip()
    return int(text) if text.isdecimal() else None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
