"""The embedded store, seen from the server: one call starts it, and the server's end stops it.

Between server and Valkey stands a guard process (`server.embedded.guard`). It holds the read end of
a pipe whose write end only the server has, so it notices the server's end, whatever the cause.
"""

import os
import select
import subprocess
import sys
import time
import urllib.parse
from enum import Enum
from pathlib import Path

from server.embedded.paths import log_path, require_own, socket_path, store_folder
from server.embedded.valkey import send_command
from server.store.acl import USER

__all__ = ["EmbeddedStore", "StoreStartFailed", "socket_path", "store_url"]

PROJECT = Path(__file__).resolve().parents[2]

START_SECONDS = 15.0
"""How long Valkey may take to give any answer. Loading its data may then take any time."""

STOP_SECONDS = 12.0
"""More than the guard gives Valkey (10 s), so that the guard normally ends by itself."""

POLL_SECONDS = 0.02


class StoreStartFailed(Exception):
    """The embedded store did not start.

    Args:
        data_dir: the data folder.
        reason: what happened, as a clause.
    """

    def __init__(self, data_dir: Path, reason: str) -> None:
        """Keep the facts; `__str__` makes the text."""
        super().__init__(data_dir, reason)
        self.data_dir = data_dir
        self.reason = reason

    def __str__(self) -> str:
        """Return what happened and where to find more."""
        return f"the embedded store did not start: {self.reason}; see {log_path(self.data_dir)}"


class _Readiness(Enum):
    SILENT = "silent"
    LOADING = "loading"
    READY = "ready"


def store_url(data_dir: Path) -> str:
    """Return the address of the embedded store for a client.

    Args:
        data_dir: the data folder.

    Returns:
        A `unix:///…` URL.

    Raises:
        StoreStartFailed: another user has made the socket's folder.
    """
    path = socket_path(data_dir)
    try:
        require_own(path.parent)
    except FileNotFoundError:
        pass  # nothing listens there, and the client's connection will fail
    except OSError as error:
        raise StoreStartFailed(data_dir, str(error)) from error
    return f"unix://{USER}:{USER}@{urllib.parse.quote(os.fsencode(path))}"


class EmbeddedStore:
    """A Valkey with its data in a data folder, which runs as long as this process.

    Args:
        data_dir: the data folder.
    """

    def __init__(self, data_dir: Path) -> None:
        """Start nothing yet."""
        self._data_dir = data_dir.resolve()
        self._socket = socket_path(data_dir)
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the guard; None if there is none."""
        return None if self._guard is None else self._guard.pid

    def start(self) -> None:
        """Start the store and wait until it has loaded its data.

        Raises:
            StoreStartFailed: it does not answer within 15 s, or its guard gives up.
        """
        self.spawn()
        try:
            self._await_guard()
            self._await_answer()
        except BaseException:
            self.stop()
            raise

    def spawn(self) -> None:
        """Start the guard, without waiting for the store. Call it again if the guard has died.

        Raises:
            StoreStartFailed: the guard cannot be started.
        """
        self.abandon()
        try:
            self._make_folders()
            self._guard = self._popen()
        except OSError as error:
            raise StoreStartFailed(self._data_dir, str(error)) from error

    def exited(self, pid: int) -> bool:
        """Return whether the child process that exited was the guard, so that `spawn` is due.

        Args:
            pid: the child process.
        """
        return self._guard is not None and self._guard.pid == pid and self._guard.poll() is not None

    def stop(self, timeout: float = STOP_SECONDS) -> None:
        """Stop Valkey and its guard, if there is one.

        Args:
            timeout: seconds until the guard is killed, and on Linux Valkey with it.
        """
        self.abandon()
        guard, self._guard = self._guard, None
        if guard is None:
            return
        try:
            guard.wait(timeout)
        except subprocess.TimeoutExpired:
            guard.kill()
            guard.wait()

    def abandon(self) -> None:
        """Close this process's end of the guard's pipe; a forked worker must not keep it open."""
        if self._guard is not None:
            for pipe in (self._guard.stdin, self._guard.stdout):
                if pipe is not None:
                    pipe.close()

    def _make_folders(self) -> None:
        for folder in (store_folder(self._data_dir), self._socket.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            require_own(folder)
            folder.chmod(0o700)

    def _popen(self) -> subprocess.Popen[bytes]:
        with log_path(self._data_dir).open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "server.embedded.guard", self._data_dir],
                cwd=PROJECT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
                # Ctrl-C in the terminal must not stop Valkey before the workers have finished.
                start_new_session=True,
            )

    def _await_guard(self) -> None:
        """Wait until the guard has locked the folder: until then, an old Valkey might answer."""
        if self._guard_output(START_SECONDS) is None:
            raise StoreStartFailed(self._data_dir, "its folder did not become free")

    def _await_answer(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while (answer := _probe(self._socket)) is not _Readiness.READY:
            if answer is _Readiness.LOADING:
                deadline = time.monotonic() + START_SECONDS
            if time.monotonic() > deadline:
                raise StoreStartFailed(self._data_dir, f"no answer in {START_SECONDS:.0f} s")
            self._guard_output(POLL_SECONDS)

    def _guard_output(self, seconds: float) -> bytes | None:
        assert self._guard is not None  # noqa: S101 for the type checker; spawn() came before
        assert self._guard.stdout is not None  # noqa: S101
        if not select.select([self._guard.stdout], [], [], seconds)[0]:
            return None
        if line := self._guard.stdout.readline():
            return line
        raise StoreStartFailed(self._data_dir, "its guard gave up")


def _probe(path: Path) -> _Readiness:
    try:
        reply = send_command(path, "PING")
    except OSError:
        return _Readiness.SILENT
    if reply.startswith(b"+PONG"):
        return _Readiness.READY
    return _Readiness.LOADING if reply.startswith(b"-LOADING") else _Readiness.SILENT
