"""A private Valkey for tests, which can be killed, frozen and brought back."""

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import redis

from server.core.receipt import Durability
from server.embedded.paths import owner_password_path, socket_path
from server.embedded.valkey import start_valkey, write_configuration
from server.store import acl
from tests.support.running.ports import free_port
from tests.support.secrets.leaks import SEARCH

START_SECONDS = 15.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.01
PASSWORD = "a-word-for-tests"


class ValkeyServer:
    """A real Valkey with its own folder, on a Unix socket or on a TCP port of the loopback.

    Who uses its address may do what Curfew must be allowed, and nothing else; `client` owns it.
    The address stays the same over restarts. By default nothing is written to disk; give
    `appendonly="yes"` to keep data over a restart.

    Args:
        tcp: Listen on a free port instead of a Unix socket.
        settings: Further Valkey settings, with underscores for dashes.

    Attributes:
        shards: for how many Curfew lays it out, unless a setting says otherwise.
        durability: what receipts say, unless it writes to its disk.
    """

    shards = 1
    durability = Durability.MEMORY

    def __init__(self, *, tcp: bool = False, **settings: str) -> None:
        """Choose the address; nothing is started yet."""
        self._folder = tempfile.TemporaryDirectory(prefix="curfew-valkey-")
        self.folder = Path(self._folder.name)
        self.port = free_port() if tcp else 0
        self._settings = {name.replace("_", "-"): value for name, value in settings.items()}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address for Curfew, with the rights of `run.py store acl`."""
        return self._address(f"{acl.USER}:{PASSWORD}@")

    @property
    def owner_url(self) -> str:
        """The address for somebody who may do everything."""
        return self._address("")

    def _address(self, credentials: str) -> str:
        if self.port:
            return f"redis://{credentials}127.0.0.1:{self.port}"
        return f"unix://{credentials}{self.folder / 'valkey.sock'}"

    @property
    def pid(self) -> int:
        """The running process."""
        return self._running().pid

    @property
    def runs(self) -> bool:
        """Whether it was started, and neither stopped nor killed."""
        return self._process is not None

    def announce(self, port: int) -> None:
        """Let it name another port to clients of its cluster. Call it before `start`."""
        self._settings["cluster-announce-port"] = str(port)

    def start(self) -> None:
        """Start it and wait until it answers."""
        SEARCH.password(PASSWORD, "password of the store")
        (self.folder / "users.acl").write_text(
            acl.acl_file(PASSWORD, in_cluster="cluster-enabled" in self._settings), "ascii"
        )
        configuration = self.folder / "valkey.conf"
        write_configuration(configuration, self._configuration())
        self._process = start_valkey(configuration, log=self.folder / "output.log")
        self._await_answer()

    def stop(self) -> None:
        """Stop it in good order; does nothing when it does not run."""
        if self._process is None:
            return
        self.thaw()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """Kill it with SIGKILL and wait until it is gone."""
        process = self._running()
        process.kill()
        process.wait()
        self._process = None

    def restart(self) -> None:
        """Stop it in good order and start it at the same address."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Stop its execution: connections stay open and nothing is answered."""
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it run on after `freeze`."""
        self._running().send_signal(signal.SIGCONT)

    def client(self) -> redis.Redis:
        """Make a synchronous client, which the caller closes."""
        return redis.Redis.from_url(self.owner_url, socket_timeout=5)

    def flush(self) -> None:
        """Remove all data, scripts and functions."""
        with self.client() as client:
            client.flushall()
            client.script_flush()

    def close(self) -> None:
        """Stop it and remove its folder."""
        self.stop()
        for log in self.folder.glob("*.log"):
            SEARCH.wrote(f"the {log.name} of a Valkey", log.read_bytes(), "log of a store")
        self._folder.cleanup()

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it and remove its folder."""
        self.close()

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "this Valkey does not run"
        return self._process

    def _configuration(self) -> dict[str, str | Path]:
        return {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": self.folder,
            "logfile": self.folder / "valkey.log",
            "aclfile": self.folder / "users.acl",
            "appendonly": "no",
            "save": "",
            **({} if self.port else {"unixsocket": self.folder / "valkey.sock"}),
            **self._settings,
        }

    def _await_answer(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            exited = self._running().poll() is not None
            assert not exited, f"Valkey ended:\n{(self.folder / 'valkey.log').read_text()}"
            assert time.monotonic() < deadline, "Valkey does not answer"
            time.sleep(POLL_SECONDS)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def owner_of_embedded(data_dir: Path) -> str:
    """The address of the embedded store in a folder for somebody who may do everything."""
    password = owner_password_path(data_dir).read_text("ascii")
    return f"unix://{acl.OWNER}:{password}@{quote(os.fsencode(socket_path(data_dir)))}"


def owner_of(url: str) -> str:
    """The address of the same store for somebody who may do everything."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
