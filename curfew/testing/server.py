"""A real server in processes of its own, on a free port and in a folder of its own."""

import os
import re
import signal
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Protocol, Self
from urllib.request import urlopen

from curfew.places import FOLDER, INSTALLED
from curfew.testing.client import Client
from curfew.testing.control import ask_all
from curfew.testing.defaults import DEFAULTS
from curfew.testing.ports import free_port
from curfew.testing.waiting import eventually
from server.core.reasons import Reason

STOP_SECONDS: Final = 60.0
READY: Final = 200


class ServingProcess(Protocol):
    """A process that serves; a `subprocess.Popen` is one."""

    @property
    def pid(self) -> int:
        """The process id."""

    def poll(self) -> int | None:
        """Return the exit status, if it has ended."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, and return the exit status."""

    def send_signal(self, sig: int, /) -> None:
        """Send a signal."""


class Server:
    """One running server, of one or more processes. Use it as a context manager.

    Args:
        application: a module and the name of an `Application` in it, such as
            `huddle:application`; empty for plain Curfew.
        folder: where it is started, which is where its modules are; by default the current one.
        environment: further variables, such as the application's own settings.
        settings: Curfew's settings, without their `CURFEW_` prefix, in lower case:
            `processes="2"`.

    Attributes:
        data_dir: its data folder.
        port: where it listens.
        log_path: the file of its log.
    """

    def __init__(
        self,
        application: str = "",
        *,
        folder: str | Path = ".",
        environment: Mapping[str, str] | None = None,
        **settings: str,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="curfew-server-")
        self.data_dir = Path(self._folder.name) / "data"
        self.port = free_port()
        self.log_path = Path(self._folder.name) / "server.log"
        self._application = application
        self._start_folder = Path(folder).absolute()
        self._variables = environment or {}
        self._settings = settings
        self._process: ServingProcess | None = None

    @property
    def url(self) -> str:
        """Where it serves; also its own origin."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        """Where its sockets are."""
        return f"{self.url.replace('http', 'ws', 1)}/ws"

    @property
    def trust(self) -> ssl.SSLContext | None:
        """What a client believes the server's certificate with."""
        return None

    @property
    def pid(self) -> int:
        """The parent process."""
        return self._running().pid

    @property
    def log(self) -> str:
        """What it printed so far."""
        return self.log_path.read_text(encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        """What the server, or a command beside it, is started with."""
        given = {f"CURFEW_{name.upper()}": value for name, value in self._settings.items()}
        clone = "" if INSTALLED.is_dir() else str(FOLDER)
        paths = [clone, os.environ.get("PYTHONPATH", "")]
        return {
            **DEFAULTS,
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "CURFEW_DATA_DIR": str(self.data_dir),
            "CURFEW_PORT": str(self.port),
            **given,
            **self._variables,
        }

    def serving_words(self) -> list[str]:
        """Return the command that serves."""
        if not self._application:
            return [sys.executable, str(FOLDER / "run.py")]
        return [
            sys.executable,
            "-m",
            "curfew.testing.serving",
            self._folder.name,
            self._application,
        ]

    def command_words(self) -> list[str]:
        """Return the beginning of a command on the same store."""
        app = ["--app", self._application] if self._application else []
        return [sys.executable, str(FOLDER / "run.py"), *app]

    def popen_options(self) -> dict[str, Any]:
        """Return how the command that serves is started."""
        return {"cwd": self._start_folder, "env": self.environment, "start_new_session": True}

    def launch(self, log: IO[bytes]) -> ServingProcess:
        """Start the process that serves, without waiting for it.

        Args:
            log: what it prints goes there.
        """
        options = self.popen_options()
        return subprocess.Popen(self.serving_words(), stdout=log, stderr=log, **options)

    def start(self) -> Self:
        """Start it and wait until it is ready."""
        with self.log_path.open("ab") as log:
            self._process = self.launch(log)
        try:
            eventually(self._is_ready)
            eventually(self._all_serve)
        except BaseException:  # nothing keeps running that nobody could stop
            self._kill()
            raise
        return self

    def stop(self, signum: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; return the exit status."""
        process = self._running()
        process.send_signal(signum)
        return process.wait(STOP_SECONDS)

    def command(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command on the same store, such as `user`, `add`, `ada`.

        Args:
            arguments: its words.
            given: what it reads from its standard input.
        """
        return subprocess.run(
            [*self.command_words(), *arguments],
            cwd=self._start_folder,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=STOP_SECONDS,
        )

    def client(self) -> Client:
        """Return a browser without a session, as an asynchronous context manager."""
        return Client(self.url)

    def travel(self, time: timedelta) -> None:
        """Move the clock of all processes forward. Only for a server of an `Application`."""
        self._ask_some({"travel": time.total_seconds()})

    def end_session(self, sid: str, reason: Reason = Reason.ADMIN) -> bool:
        """End a session now; return whether there was one. As `travel`, of an `Application`.

        Args:
            sid: the id of the session, such as a client's.
            reason: why it ends.
        """
        return any(self._ask_some({"end": sid, "reason": reason.value}))

    def _ask_some(self, question: dict[str, object]) -> list[object]:
        answers = self._ask(question)
        if not answers:
            raise RuntimeError("no process of this server listens to tests")
        return answers

    def _ask(self, question: dict[str, object]) -> list[object]:
        return ask_all(Path(self._folder.name), question)

    def _running(self) -> ServingProcess:
        if self._process is None:
            raise RuntimeError("this server was not started")
        return self._process

    def __enter__(self) -> Self:
        """Start. If that fails, nothing is left."""
        try:
            return self.start()
        except BaseException:
            self.clean_up()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop, whatever state it is in."""
        try:
            if self._process is not None and self._process.poll() is None:
                self.stop()
        finally:
            self._kill()
            self.clean_up()

    def _kill(self) -> None:
        """End what is left of it: all processes of its session."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def clean_up(self) -> None:
        """Remove its folder."""
        self._folder.cleanup()

    def _all_serve(self) -> bool:
        """Return whether all processes do: the one that answered may be the first."""
        processes = int(self._settings.get("processes", "1"))
        if self._application:
            return len(self._ask({})) == processes
        return processes == 1 or _serving_in(self._metrics()) == processes

    def _metrics(self) -> str:
        port = self._settings.get("metrics_port")
        url = f"http://127.0.0.1:{port}" if port else self.url
        try:
            with urlopen(f"{url}/metrics", timeout=1, context=self.trust) as answer:
                return str(answer.read(), "utf-8")
        except OSError:
            return ""

    def _is_ready(self) -> bool:
        if self._running().poll() is not None:
            raise AssertionError(f"the server ended:\n{self.log}")
        try:
            with urlopen(f"{self.url}/readyz", timeout=1, context=self.trust) as answer:
                return bool(answer.status == READY)
        except OSError:
            return False


def _serving_in(metrics: str) -> int:
    told = re.search(r'^curfew_workers{.*state="serving".*} (\d+)', metrics, re.MULTILINE)
    return int(told[1]) if told else 0
