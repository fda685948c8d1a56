"""A real Curfew, started by `run.py` as a person would, on a free port and in its own folder."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, ClassVar, Self

import redis

from curfew.testing.server import STOP_SECONDS, Server, ServingProcess
from server.core.receipt import Durability
from server.embedded.store import store_url
from tests.support.secrets.leaks import SEARCH
from tests.support.secrets.store_secrets import note_server
from tests.support.servers.cluster import ValkeyCluster
from tests.support.servers.forks import FORKS
from tests.support.servers.stores import AS_EMBEDDED, ON_CLUSTERS, owner_client
from tests.support.servers.valkey import owner_of_embedded

__all__ = ["HASTY", "KEPT", "ROOT", "RUNNING", "STOP_SECONDS", "CurfewServer", "ExactServer"]

ROOT = Path(__file__).parents[3]
HASTY = ROOT / "tests" / "support" / "servers" / "hasty_run.py"
"""Serves the same without limits of frames and sockets."""
KEPT = Durability.REPLICAS if ON_CLUSTERS else Durability.FSYNC
"""What receipts say of ends in the store of a server that was named none."""
RUNNING: set["CurfewServer"] = set()
"""Those of fixtures that end after the last test; what they wrote is looked at all the same."""


class CurfewServer(Server):
    """One running server, of one or more processes, whose secrets are looked for everywhere.

    Its store is embedded unless a setting names one. Where the run asks for clusters, it is a
    cluster that is the server's alone until `clean_up`.

    Args:
        settings: environment variables without their `CURFEW_` prefix, in lower case.
        script: what to run in place of `run.py`.

    Attributes:
        launcher: words before the command, of a program that starts it.
        passed: file descriptors that the launcher inherits.
        variables: further ones of its environment.
        is_forked: whether a fork server starts it, and its commands, in a run of tests.
    """

    is_forked: ClassVar = True
    launcher: Sequence[str] = ()
    passed: Sequence[int] = ()
    variables: Mapping[str, str] = MappingProxyType({})

    def __init__(self, *, script: Path = ROOT / "run.py", **settings: str) -> None:
        super().__init__(folder=ROOT, environment=None, **settings)
        self._script = script
        self._cluster: ValkeyCluster | None = None
        self._may_be_lent = ON_CLUSTERS and "store_url" not in settings

    @property
    def environment(self) -> dict[str, str]:
        """With the cluster, if it has one."""
        if not self._may_be_lent:
            return super().environment
        self._cluster = self._cluster or AS_EMBEDDED.lend()
        return super().environment | {"CURFEW_STORE_URL": self._cluster.url}

    @property
    def store_url(self) -> str:
        """The address of its store, with Curfew's rights."""
        return self.environment.get("CURFEW_STORE_URL") or store_url(self.data_dir)

    def owner(self) -> redis.Redis:
        """Make a client for somebody who may do everything in its store; the caller closes it."""
        if url := self.environment.get("CURFEW_STORE_URL"):
            return owner_client(url)
        return redis.Redis.from_url(owner_of_embedded(self.data_dir))

    def serving_words(self) -> list[str]:
        """The script."""
        return [*self.launcher, sys.executable, str(self._script)]

    def popen_options(self) -> dict[str, Any]:
        """With what the launcher needs."""
        options = super().popen_options()
        environment = options["env"] | dict(self.variables)
        return options | {"env": environment, "pass_fds": self.passed}

    @property
    def _is_forked(self) -> bool:
        other = self._script.with_name("server")
        assert not self.is_forked or other == ROOT / "server" or not other.exists(), (
            "a fork has the modules of this version: use an ExactServer"
        )
        return self.is_forked and FORKS.is_used

    def launch(self, log: IO[bytes]) -> ServingProcess:
        """By a fork server where that is asked for."""
        if self.launcher or not self._is_forked:
            return super().launch(log)
        environment = self.popen_options()["env"]
        with Path(os.devnull).open("rb") as nothing:
            files = [nothing.fileno(), log.fileno(), log.fileno()]
            return FORKS.start([str(self._script)], files, folder=ROOT, environment=environment)

    def start(self) -> Self:
        """Start it and wait until it is ready."""
        RUNNING.add(self)
        super().start()
        note_server(SEARCH, self.environment, self.data_dir)
        return self

    def stop(self, signum: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit status."""
        note_server(SEARCH, self.environment, self.data_dir)
        return super().stop(signum)

    def command(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run `run.py` with a sub-command on the same store."""
        for line in given.splitlines():
            SEARCH.password(line)
        ran = self._run(*arguments, given=given)
        if arguments[:2] != ("keys", "new"):  # which is asked to show one
            place = f"what `{' '.join(arguments[:2])}` printed"
            SEARCH.wrote(place, ran.stdout + ran.stderr, "command")
        return ran

    def _run(self, *arguments: str, given: str) -> subprocess.CompletedProcess[str]:
        if not self._is_forked:
            return super().command(*arguments, given=given)
        words = [*self.command_words()[1:], *arguments]
        return FORKS.run(
            words, given=given, folder=ROOT, environment=self.environment, timeout=STOP_SECONDS
        )

    def tell(self) -> None:
        """Show the log so far to whoever looks for secrets in it."""
        if self.log_path.exists():
            test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0]
            SEARCH.wrote(f"the log of a server of {test}", self.log_path.read_bytes(), "log")
            for log in self.data_dir.rglob("*.log"):
                SEARCH.wrote(f"the log of a store of {test}", log.read_bytes(), "log of a store")

    def clean_up(self) -> None:
        """Show the log, then remove the folder."""
        RUNNING.discard(self)
        self.tell()
        super().clean_up()
        if self._cluster is not None:
            AS_EMBEDDED.take_back(self._cluster)
            self._cluster = None


class ExactServer(CurfewServer):
    """One that starts as people start it, also in a run of tests.

    For tests about the start itself, about what passwords cost, and about what the system tells of
    its processes.
    """

    is_forked = False
