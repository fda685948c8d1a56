"""The embedded store seen from the server: one call starts it, the server's death stops it.

Between server and Valkey stands a guard process (`server.embedded.guard`). It holds the read end of
a pipe whose write end only the server has, so that it learns of the server's end however it came.
"""

import os
import select
import subprocess
import sys
import time
import urllib.parse
from enum import Enum
from pathlib import Path

from server.embedded.paths import log_path, refuse_foreign, socket_path, store_folder
from server.embedded.valkey import ask
from server.store.acl import USER

__all__ = ["EmbeddedStore", "StoreStartFailed", "socket_path", "store_url"]

PROJECT = Path(__file__).resolve().parents[2]

START_SECONDS = 15.0
"""How long Valkey may take to answer anything; loading its data may then take as it likes."""

STOP_SECONDS = 12.0
"""Longer than the guard gives Valkey (10 s), so that the guard normally ends by itself."""

POLL_SECONDS = 0.02


class StoreStartFailed(Exception):
    """The embedded store did not come up.

    Args:
        data_dir: The data folder.
        reason: What happened, as a clause.
    """

    def __init__(self, data_dir: Path, reason: str) -> None:
        """Keep the facts; the text is built when asked for."""
        super().__init__(data_dir, reason)
        self.data_dir = data_dir
        self.reason = reason

    def __str__(self) -> str:
        """Say what happened and where to read on."""
        return f"the embedded store did not start: {self.reason}; see {log_path(self.data_dir)}"


class _Answer(Enum):
    NONE = "none"
    LOADING = "loading"
    READY = "ready"


def store_url(data_dir: Path) -> str:
    """Return the address of the embedded store for a client.

    Args:
        data_dir: The data folder.

    Returns:
        A `unix:///…` URL.

    Raises:
        StoreStartFailed: When somebody else has taken the place of the socket.
    """
    path = socket_path(data_dir)
    try:
        refuse_foreign(path.parent)
    except FileNotFoundError:
        pass  # Nothing listens there, as the client will find out.
    except OSError as error:
        raise StoreStartFailed(data_dir, str(error)) from error
    return f"unix://{USER}:{USER}@{urllib.parse.quote(os.fsencode(path))}"


class EmbeddedStore:
    """A Valkey that lives in a data folder for as long as this process.

    Args:
        data_dir: The data folder.
    """

    def __init__(self, data_dir: Path) -> None:
        """Prepare; nothing is started yet."""
        self._data_dir = data_dir.resolve()
        self._socket = socket_path(data_dir)
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The guard's process, None when there is none."""
        return None if self._guard is None else self._guard.pid

    def start(self) -> None:
        """Start the store and wait until it answers with all data loaded.

        Raises:
            StoreStartFailed: When it does not answer within 15 s, or its guard gives up.
        """
        self.spawn()
        try:
            self._await_guard()
            self._await_answer()
        except BaseException:
            self.stop()
            raise

    def spawn(self) -> None:
        """Start the guard without waiting for the store, after the former one is gone.

        Raises:
            StoreStartFailed: When the guard cannot be started.
        """
        self.abandon()
        try:
            self._make_folders()
            self._guard = self._popen()
        except OSError as error:
            raise StoreStartFailed(self._data_dir, str(error)) from error

    def exited(self, pid: int) -> bool:
        """Tell whether a child that was waited for was the guard, so that it can be spawned again.

        Args:
            pid: The child that is gone.

        Returns:
            Whether it was the guard.
        """
        return self._guard is not None and self._guard.pid == pid and self._guard.poll() is not None

    def stop(self, timeout: float = STOP_SECONDS) -> None:
        """Stop Valkey and its guard; does nothing when there is none.

        Args:
            timeout: Seconds until the guard is killed, and on Linux Valkey with it.
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
        """Let go of the guard without waiting: in a forked worker, which must not keep it alive."""
        if self._guard is not None:
            for pipe in (self._guard.stdin, self._guard.stdout):
                if pipe is not None:
                    pipe.close()

    def _make_folders(self) -> None:
        for folder in (store_folder(self._data_dir), self._socket.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            refuse_foreign(folder)
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
                # Ctrl-C in the terminal must not reach Valkey before the workers have finished.
                start_new_session=True,
            )

    def _await_guard(self) -> None:
        """Wait until the guard has the folder: before that, an old Valkey might answer."""
        if self._said_by_guard(START_SECONDS) is None:
            raise StoreStartFailed(self._data_dir, "its folder did not become free")

    def _await_answer(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while (answer := _probe(self._socket)) is not _Answer.READY:
            if answer is _Answer.LOADING:
                deadline = time.monotonic() + START_SECONDS
            if time.monotonic() > deadline:
                raise StoreStartFailed(self._data_dir, f"no answer in {START_SECONDS:.0f} s")
            self._said_by_guard(POLL_SECONDS)

    def _said_by_guard(self, seconds: float) -> bytes | None:
        assert self._guard is not None  # noqa: S101 for the type checker; spawn() came before
        assert self._guard.stdout is not None  # noqa: S101
        if not select.select([self._guard.stdout], [], [], seconds)[0]:
            return None
        if line := self._guard.stdout.readline():
            return line
        raise StoreStartFailed(self._data_dir, "its guard gave up")


def _probe(path: Path) -> _Answer:
    try:
        reply = ask(path, "PING")
    except OSError:
        return _Answer.NONE
    if reply.startswith(b"+PONG"):
        return _Answer.READY
    return _Answer.LOADING if reply.startswith(b"-LOADING") else _Answer.NONE
