"""Two servers, A and B, on a master with two replicas that three sentinels watch."""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Self

from tests.chaos.two_servers import Pair, two_servers
from tests.support.clients.people import People, people_of
from tests.support.servers.sentinels import SentinelRig


class SentinelFaultRig:
    """Both servers and their store.

    Args:
        store: the servers of the store, and the sentinels.
        servers: A and B.

    Attributes:
        old: the master when the fault began.
    """

    def __init__(self, store: SentinelRig, servers: Pair) -> None:
        self.store = store
        self.servers = servers
        self.old = store.master()

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[Self]:
        """Run everything."""
        with (
            SentinelRig(appendonly="yes", appendfsync="always") as store,
            two_servers(store.url, store.url) as servers,
        ):
            yield cls(store, servers)

    def people(self) -> AbstractAsyncContextManager[People]:
        """Open browsers on A."""
        return people_of(self.servers.a.url)

    def settle(self) -> None:
        """Wait until all servers of the store and all sentinels are well."""
        self.store.settle()
        self.old = self.store.master()

    def fail_over(self) -> None:
        """Replace the master by command."""
        self.store.fail_over()

    def kill_sentinels(self, count: int) -> None:
        """Kill some of the sentinels."""
        for each in self.store.sentinels[:count]:
            each.kill()

    def start_sentinels(self) -> None:
        """Start those that were killed."""
        for each in self.store.sentinels:
            if not each.runs:
                each.start()
