"""Two servers, A and B, on one Valkey, each behind a link of its own that can be broken."""

import os
import shutil
import signal
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Final, Self

from server.crypto.keyring import new_secret
from server.store import acl
from tests.support.running.processes import eventually
from tests.support.servers.proxy import Proxy
from tests.support.servers.server import HASTY, CurfewServer
from tests.support.servers.valkey import PASSWORD, ValkeyServer
from tests.support.servers.workers import workers_of

LEASE_SECONDS: Final = 2.0
HOLD_SECONDS: Final = 3.0
SETTINGS: Final = {
    "node_lease": f"{LEASE_SECONDS:g}s",
    "hold_timeout": f"{HOLD_SECONDS:g}s",
    "sweep_interval": "20s",
    "termination_wait": "6s",
}


class Rig:
    """Both servers and what lies between them and the store.

    Attributes:
        valkey: the store; it keeps its data and syncs every write.
        a: where people sign in and sessions are ended.
        b: the other server.
        link_a: between A and the store.
        link_b: between B and the store.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.valkey = ValkeyServer(tcp=True, appendonly="yes", appendfsync="always")

    def __enter__(self) -> Self:
        """Start everything."""
        with ExitStack() as stack:
            stack.enter_context(self.valkey)
            self.link_a = stack.enter_context(Proxy(self.valkey.port))
            self.link_b = stack.enter_context(Proxy(self.valkey.port))
            keys = new_secret()
            self.a, self.b = (
                stack.enter_context(_server(link, keys)) for link in (self.link_a, self.link_b)
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop everything."""
        self._stack.close()

    @property
    def servers(self) -> tuple[CurfewServer, CurfewServer]:
        """A and B."""
        return self.a, self.b

    @property
    def node_b(self) -> int:
        """The process of B that serves."""
        (pid,) = eventually(lambda: workers_of(self.b))
        return pid

    def mend(self) -> None:
        """Both links forward everything."""
        self.link_a.mend()
        self.link_b.mend()

    def kill_connections(self) -> None:
        """Cut every connection to the store, and those that come in their place."""
        with self.valkey.client() as control:
            for _ in range(3):
                control.client_kill_filter(_type="normal", skipme=True)
                time.sleep(0.05)

    def fill(self) -> None:
        """Let the store be full."""
        with self.valkey.client() as control:
            control.config_set("maxmemory", 1)

    def make_room(self) -> None:
        """Let the store take writes again."""
        with self.valkey.client() as control:
            control.config_set("maxmemory", 0)

    def slow_down(self, seconds: float) -> None:
        """Let the store take so long for every answer."""
        for link in (self.link_a, self.link_b):
            link.slow_down(seconds / 2)

    def trim_and_mend(self) -> None:
        """Remove what the streams hold, as if ten thousand entries had come after it; mend."""
        with self.valkey.client() as control:
            for name in control.scan_iter("curfew:*", _type="stream"):
                control.xtrim(name, maxlen=0, approximate=False)
        self.mend()

    def lose_data(self) -> None:
        """Kill the store and remove what it had on disk."""
        self.valkey.kill()
        shutil.rmtree(self.valkey.folder / "appendonlydir")

    def signal_node_b(self, signum: signal.Signals) -> None:
        """Send a signal to the process of B that serves."""
        os.kill(self.node_b, signum)


def _server(link: Proxy, keys: str) -> CurfewServer:
    return CurfewServer(
        script=HASTY,
        store_url=f"redis://{acl.USER}:{PASSWORD}@127.0.0.1:{link.port}",
        secret_keys=keys,
        node_lease=SETTINGS["node_lease"],
        hold_timeout=SETTINGS["hold_timeout"],
        sweep_interval=SETTINGS["sweep_interval"],
        termination_wait=SETTINGS["termination_wait"],
    )
