"""A master with replicas and three sentinels, each a real process that can be killed or frozen."""

import os
import signal
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import redis

from server.embedded.valkey import _killed_with_parent, valkey_binary
from server.store import acl
from tests.support.running.ports import free_port
from tests.support.running.processes import eventually
from tests.support.servers.valkey import PASSWORD, ValkeyServer

SERVICE = "main"
DOWN_AFTER = 1.0
"""Seconds of silence after which a sentinel takes a server for down."""
STARTED_WITHIN = 40.0


class SentinelServer:
    """One sentinel.

    Args:
        master_port: of the first master, on the loopback.
        quorum: how many sentinels must find the master down.
        settings: further lines of its configuration.
    """

    def __init__(self, master_port: int, quorum: int, *settings: str) -> None:
        """Choose the port; nothing is started yet."""
        self._folder = tempfile.TemporaryDirectory(prefix="curfew-sentinel-")
        self.port = free_port()
        self._configuration = Path(self._folder.name) / "sentinel.conf"
        self._process: subprocess.Popen[bytes] | None = None
        down_after = round(DOWN_AFTER * 1000)
        lines = (
            "bind 127.0.0.1",
            f"port {self.port}",
            f"dir {self._folder.name}",
            f"logfile {self._folder.name}/sentinel.log",
            f"sentinel monitor {SERVICE} 127.0.0.1 {master_port} {quorum}",
            f"sentinel down-after-milliseconds {SERVICE} {down_after}",
            f"sentinel failover-timeout {SERVICE} 6000",
            *settings,
        )
        self._configuration.write_text("\n".join(lines) + "\n", "ascii")

    def start(self) -> None:
        """Start it; it goes on with what it knew."""
        self._process = subprocess.Popen(
            [valkey_binary(), self._configuration, "--sentinel"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(os.environ, LC_ALL="C"),
            preexec_fn=_killed_with_parent(),  # noqa: PLW1509 no threads yet, as in start_valkey
        )

    @property
    def runs(self) -> bool:
        """Whether it was started and not killed."""
        return self._process is not None

    def client(self) -> redis.Redis:
        """Make a synchronous client, which the caller closes."""
        return redis.Redis(port=self.port, socket_timeout=2)

    def freeze(self) -> None:
        """Stop its execution."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it run on after `freeze`."""
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill it; does nothing when it does not run."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Kill it and remove its folder."""
        self.kill()
        self._folder.cleanup()


class SentinelRig:
    """A master, replicas and sentinels that know each other.

    Args:
        replicas: how many replicas the first master has.
        sentinels: how many sentinels watch it.
        sentinel_settings: further lines of their configuration.
        settings: of the servers, as `ValkeyServer` takes them.
    """

    def __init__(
        self,
        *,
        replicas: int = 2,
        sentinels: int = 3,
        sentinel_settings: tuple[str, ...] = (),
        **settings: str,
    ) -> None:
        """Choose all ports; nothing is started yet."""
        first = ValkeyServer(tcp=True, **settings)
        of_first = f"127.0.0.1 {first.port}"
        others = [
            ValkeyServer(tcp=True, replicaof=of_first, repl_diskless_sync_delay="0", **settings)
            for _ in range(replicas)
        ]
        self.servers = [first, *others]
        quorum = sentinels // 2 + 1
        self.sentinels = [
            SentinelServer(first.port, quorum, *sentinel_settings) for _ in range(sentinels)
        ]
        self._stack = ExitStack()

    @property
    def url(self) -> str:
        """The address for Curfew."""
        return self.url_of(f"{acl.USER}:{PASSWORD}@")

    def url_of(self, login: str, service: str = SERVICE, rest: str = "") -> str:
        """The address with another login, service or options."""
        places = ",".join(f"127.0.0.1:{each.port}" for each in self.sentinels)
        return f"redis+sentinel://{login}{places}/{service}{rest}"

    def master(self) -> ValkeyServer:
        """Return the server that a majority of the sentinels names."""
        named = [port for port in map(_named, self.sentinels) if port]
        port = max(named, key=named.count)
        return next(each for each in self.servers if each.port == port)

    def others(self) -> list[ValkeyServer]:
        """Return the other servers."""
        master = self.master()
        return [each for each in self.servers if each is not master]

    def fail_over(self) -> None:
        """Let the first sentinel replace the master by command."""
        with self.sentinels[0].client() as client:
            client.execute_command("SENTINEL", "FAILOVER", SERVICE)

    def await_master_other_than(self, before: ValkeyServer, within: float = 20.0) -> ValkeyServer:
        """Wait until a majority of the sentinels names another server."""
        eventually(lambda: self.master() is not before, within)
        return self.master()

    def __enter__(self) -> Self:
        """Start all, and wait until they know each other."""
        for server in self.servers:
            self._stack.enter_context(server)
        for sentinel in self.sentinels:
            self._stack.callback(sentinel.close)
            sentinel.start()
        self.settle()
        return self

    def settle(self) -> None:
        """Wait until all sentinels know each other, and one master with all its replicas."""
        eventually(self._is_complete, STARTED_WITHIN)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop all."""
        for server in self.servers:
            if server._process:
                server.thaw()
        self._stack.close()

    def _is_complete(self) -> bool:
        return all(self._knows_all(each) for each in self.sentinels)

    def _knows_all(self, sentinel: SentinelServer) -> bool:
        try:
            with sentinel.client() as client:
                state = client.execute_command("SENTINEL MASTER", SERVICE)
                replicas = client.execute_command("SENTINEL REPLICAS", SERVICE)
        except redis.RedisError:
            return False
        return (
            state["flags"] == "master"
            and int(state["num-other-sentinels"]) == len(self.sentinels) - 1
            and len(replicas) == len(self.servers) - 1
            and all(each[b"flags"] == b"slave" for each in replicas)
            and all(each.get(b"master-link-status") == b"ok" for each in replicas)
        )


def _named(sentinel: SentinelServer) -> int:
    try:
        with sentinel.client() as client:
            _, port = client.execute_command("SENTINEL GET-MASTER-ADDR-BY-NAME", SERVICE)
            return int(port)
    except redis.RedisError:
        return 0
