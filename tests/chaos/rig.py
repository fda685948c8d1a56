"""Two servers, A and B, on one Valkey, each behind a link of its own that can be broken."""

import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from typing import Self

from server.store import acl
from tests.chaos.two_servers import Pair, two_servers
from tests.support.clients.people import People, people_of
from tests.support.servers.proxy import Proxy
from tests.support.servers.valkey import PASSWORD, ValkeyServer


@dataclass
class Rig:
    """Both servers and what lies between them and the store.

    Attributes:
        valkey: the store; it keeps its data and syncs every write.
        link_a: between A and the store.
        link_b: between B and the store.
        servers: A and B.
    """

    valkey: ValkeyServer
    link_a: Proxy
    link_b: Proxy
    servers: Pair

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[Self]:
        """Run everything."""
        with (
            ValkeyServer(tcp=True, appendonly="yes", appendfsync="always") as valkey,
            Proxy(valkey.port) as link_a,
            Proxy(valkey.port) as link_b,
            two_servers(_behind(link_a), _behind(link_b)) as servers,
        ):
            yield cls(valkey, link_a, link_b, servers)

    def people(self) -> AbstractAsyncContextManager[People]:
        """Open browsers on A."""
        return people_of(self.servers.a.url)

    def settle(self) -> None:
        """Do nothing: whoever mends a fault has waited for the one server."""

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


def _behind(link: Proxy) -> str:
    """Return the store's address over a link."""
    return f"redis://{acl.USER}:{PASSWORD}@127.0.0.1:{link.port}"
