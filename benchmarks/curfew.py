"""A Curfew that is measured: `run.py` with its default settings, on a data folder of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.crowd import Handshake
from benchmarks.inside.worker import FOLDER, read_notes
from benchmarks.people import People, Person
from benchmarks.processes import descendants
from benchmarks.running import ROOT, NotMeasurable, Served, answer, await_true, process
from tests.support.running.ports import free_port

RUN: Final = ("run.py",)
QUIET: Final = ("-m", "benchmarks.inside.quiet_run")
"""The same without a line for each request."""
PROFILED: Final = ("-m", "benchmarks.inside.profiled_run")
"""The same, with a note of what it does at each moment."""
WATCHED: Final = ("-m", "benchmarks.inside.watched_run")
"""The same, with a note of how late its event loop comes."""


class Curfew:
    """One server on a data folder. It may be started more than once.

    Args:
        folder: for its data and its log.
        script: what Python runs.
        settings: environment variables without their `CURFEW_` prefix, in lower case.
    """

    def __init__(self, folder: Path, *, script: tuple[str, ...] = RUN, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.data_dir = folder / "data"
        self._log = folder / "curfew.log"
        self._script = script
        given = {f"CURFEW_{name.upper()}": value for name, value in settings.items()}
        self.environment = {
            "CURFEW_DATA_DIR": str(self.data_dir),
            "CURFEW_PORT": str(self.port),
            FOLDER: str(folder),
            **given,
        }

    @property
    def url(self) -> str:
        """Where it serves; also its own origin."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[list[int]]:
        """Run it; yield its workers, when it is ready."""
        with process([sys.executable, *self._script], self._log, self.environment) as started:
            await_true(self._is_ready, started, self._log)
            yield descendants(started.pid, self._script[-1])

    def command(self, *words: str, given: str = "") -> None:
        """Run one of `run.py`'s commands on the data folder.

        Raises:
            NotMeasurable: it failed.
        """
        done = subprocess.run(
            [sys.executable, *RUN, *words],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            input=given,
            text=True,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise NotMeasurable(f"`run.py {words[0]}` failed: {done.stderr}")

    def start_seconds(self) -> float:
        """Start it, stop it, and return the time from the one to the first yes of `/readyz`."""
        began = time.perf_counter()
        with process([sys.executable, *self._script], self._log, self.environment) as started:
            return await_true(self._is_ready, started, self._log) - began

    @contextmanager
    def people(self) -> Iterator[People]:
        """Give sessions to people while it runs."""
        people = People(self.environment)
        try:
            yield people
        finally:
            people.go()

    def handshake(self, person: Person) -> Handshake:
        """Return the handshake of a person's socket."""
        headers = {
            **person.headers,
            "Origin": self.url,
            "Sec-WebSocket-Protocol": "curfew.v1",
        }
        return Handshake(self.port, "/ws", b'"hello"', headers)

    def watch(self, pids: Iterable[int]) -> None:
        """Make its workers begin to note how late they come."""
        for pid in pids:
            os.kill(pid, signal.SIGUSR1)

    def notes(self) -> list[Any]:
        """Return what its workers have noted, after their end."""
        return read_notes(self._log.parent)

    def served(self, pids: list[int], path: str = "/api/session") -> Served:
        """Return the server as something that is asked for a path."""
        return Served("Curfew", self.port, pids, path)

    def _is_ready(self) -> bool:
        return answer(self.port, "/readyz")[0] == 200  # noqa: PLR2004
