"""A real Curfew, started by `run.py` as a person would, on a free port and in its own folder."""

import os
import signal
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.request import urlopen

from tests.support.running.ports import free_port
from tests.support.running.processes import eventually
from tests.support.secrets.leaks import SEARCH
from tests.support.secrets.store_secrets import note_server

ROOT = Path(__file__).parents[3]
HASTY = ROOT / "tests" / "support" / "servers" / "hasty_run.py"
"""Serves the same without limits of frames and sockets."""
STOP_SECONDS = 60.0
RUNNING: set["CurfewServer"] = set()
"""Those of fixtures that end after the last test; what they wrote is looked at all the same."""


class CurfewServer:
    """One running server, of one or more processes.

    Args:
        settings: environment variables without their `CURFEW_` prefix, in lower case.
        script: what to run in place of `run.py`.
    """

    def __init__(self, *, script: Path = ROOT / "run.py", **settings: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="curfew-server-")
        self.data_dir = Path(self._folder.name) / "data"
        self.port = free_port()
        self.log_path = Path(self._folder.name) / "server.log"
        self._script = script
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

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
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What it printed so far."""
        return self.log_path.read_text(encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        """What the server, or a command beside it, is started with."""
        given = {f"CURFEW_{name.upper()}": value for name, value in self._settings.items()}
        return {
            **os.environ,
            "CURFEW_DATA_DIR": str(self.data_dir),
            "CURFEW_PORT": str(self.port),
            **given,
        }

    def start(self) -> Self:
        """Start it and wait until it is ready."""
        RUNNING.add(self)
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(self._script)],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        eventually(self._is_ready)
        note_server(SEARCH, self.environment, self.data_dir)
        return self

    def stop(self, signum: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit status."""
        assert self._process is not None
        note_server(SEARCH, self.environment, self.data_dir)
        self._process.send_signal(signum)
        return self._process.wait(STOP_SECONDS)

    def command(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run `run.py` with a sub-command on the same store."""
        for line in given.splitlines():
            SEARCH.password(line)
        ran = subprocess.run(
            [sys.executable, str(ROOT / "run.py"), *arguments],
            cwd=ROOT,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=STOP_SECONDS,
        )
        if arguments[:2] != ("keys", "new"):  # which is asked to show one
            place = f"what `{' '.join(arguments[:2])}` printed"
            SEARCH.wrote(place, ran.stdout + ran.stderr, "command")
        return ran

    def tell(self) -> None:
        """Show the log so far to whoever looks for secrets in it."""
        if self.log_path.exists():
            test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0]
            SEARCH.wrote(f"the log of a server of {test}", self.log_path.read_bytes(), "log")
            for log in self.data_dir.rglob("*.log"):
                SEARCH.wrote(f"the log of a store of {test}", log.read_bytes(), "log of a store")

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop, whatever state it is in."""
        if self._process is not None and self._process.poll() is None:
            self.stop()
        RUNNING.discard(self)
        self.tell()
        self._folder.cleanup()

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the server ended:\n{self.log}"
        try:
            with urlopen(f"{self.url}/readyz", timeout=1, context=self.trust) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
