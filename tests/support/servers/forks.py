"""Programs of Curfew that a fork server starts, as far as tests need them a `subprocess.Popen`."""

import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

ROOT: Final = Path(__file__).parents[3]
NUMBER: Final = struct.Struct("!i")
"""Numbers and lengths between the two."""
STANDARD: Final = 3
"""Files: input, output and error."""


class Fork:
    """A running program.

    Args:
        told: a pipe that tells its process id, and then its exit status.

    Attributes:
        pid: its process id.
        returncode: its exit status, if it is known.
    """

    def __init__(self, told: int) -> None:
        self._told = told
        self._lock = threading.Lock()
        self.pid = self._read()
        self.returncode: int | None = None
        weakref.finalize(self, os.close, told)

    def poll(self) -> int | None:
        """Return the exit status, if it has ended."""
        with self._lock:
            if self.returncode is None and self._is_told(0):
                self.returncode = self._read()
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, and return the exit status.

        Raises:
            subprocess.TimeoutExpired: it runs on.
        """
        self._is_told(timeout)  # the status is followed by the end of the pipe: all who wait wake
        status = self.poll()
        if status is None:
            raise subprocess.TimeoutExpired(f"fork {self.pid}", timeout or 0)
        return status

    def send_signal(self, signum: int, /) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it ended just now, and the fork server knows first
                os.kill(self.pid, signum)

    def _is_told(self, timeout: float | None) -> bool:
        waiting = select.poll()  # unlike select.select, it takes files beyond the 1,024th
        waiting.register(self._told, select.POLLIN)
        return bool(waiting.poll(None if timeout is None else timeout * 1000))

    def _read(self) -> int:
        told = os.read(self._told, NUMBER.size)
        if not told:
            raise RuntimeError("the fork server has ended")
        number: int = NUMBER.unpack(told)[0]
        return number


class ForkServer:
    """Starts programs; it begins with the first one.

    Attributes:
        is_used: whether programs are to be started by it. Only runs of tests do: what is measured
            or shown starts as people start it.
    """

    def __init__(self) -> None:
        self.is_used = False
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(
        self,
        words: Sequence[str],
        files: Sequence[int],
        *,
        folder: Path,
        environment: Mapping[str, str],
    ) -> Fork:
        """Start a program.

        Args:
            words: the path of a script, and its arguments.
            files: its standard input, output and error.
            folder: where it is started.
            environment: all its variables.
        """
        request = {"words": words, "folder": str(folder), "environment": dict(environment)}
        body = json.dumps(request).encode()
        with self._lock:
            control = self._control or self._begin()
            told, tell = os.pipe()
            socket.send_fds(control, [NUMBER.pack(len(body))], [*files, tell])
            os.close(tell)
            control.sendall(body)
        return Fork(told)

    def run(
        self,
        words: Sequence[str],
        *,
        given: str,
        folder: Path,
        environment: Mapping[str, str],
        timeout: float,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, as `subprocess.run`.

        Args:
            words: see `start`.
            given: what it reads.
            folder: see `start`.
            environment: see `start`.
            timeout: seconds until it is killed.
        """
        with (
            tempfile.TemporaryFile("w+") as reads,
            tempfile.TemporaryFile("w+") as prints,
            tempfile.TemporaryFile("w+") as complains,
        ):
            reads.write(given)
            reads.seek(0)
            files = [each.fileno() for each in (reads, prints, complains)]
            program = self.start(words, files, folder=folder, environment=environment)
            try:
                status = program.wait(timeout)
            except subprocess.TimeoutExpired:
                program.send_signal(signal.SIGKILL)
                raise
            return subprocess.CompletedProcess(words, status, _read(prints), _read(complains))

    def close(self) -> None:
        """End it; programs that run go on."""
        if self._control is not None and self._process is not None:
            self._control.close()
            self._process.wait()
            self._control = None

    def _begin(self) -> socket.socket:
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.servers.fork_server"],
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdin=theirs.fileno(),
                start_new_session=True,
            )
        return self._control


def _read(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


FORKS: Final = ForkServer()
"""That of this process."""
