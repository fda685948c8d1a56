"""Two servers, A and B, on a cluster of three masters and three replicas, whose parts can fail."""

import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Self

from server.store.names import shard_of_user
from tests.chaos.two_servers import Pair, two_servers
from tests.support.clients.client import Client
from tests.support.clients.people import People
from tests.support.servers.cluster import ValkeyCluster

SHARDS = 16
_numbers = itertools.count(1)


class ClusterFaultRig:
    """Both servers and their store.

    Args:
        store: the cluster.
        servers: A and B.

    Attributes:
        shard: whose master is the one that a fault is about.
        old: that master, when the fault began.
        replica: its replica then.
        target: another master, for what moves.
        spared: the shards of the other masters.
    """

    def __init__(self, store: ValkeyCluster, servers: Pair) -> None:
        self.store = store
        self.servers = servers
        self.settle()

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[Self]:
        """Run everything."""
        with (
            ValkeyCluster(appendonly="yes", appendfsync="always") as store,
            two_servers(store.url, store.url) as servers,
        ):
            yield cls(store, servers)

    def settle(self, *, with_first_shard: bool = False) -> None:
        """Wait until all is well, and choose the master that the next fault is about."""
        self.store.await_health()
        first = self.store.master_of(0)
        masters = {shard: self.store.master_of(shard) for shard in range(SHARDS)}
        self.shard = 0 if with_first_shard else next(s for s in masters if masters[s] is not first)
        self.old = masters[self.shard]
        self.replica = self.store.replicas_of(self.old)[0]
        self.target = next(each for each in masters.values() if each is not self.old)
        self.spared = [shard for shard in masters if masters[shard] is not self.old]

    def kill_shard(self) -> None:
        """Kill the master and its replica."""
        self.replica.kill()
        self.old.kill()

    def restart_shard(self) -> None:
        """Start both, with what they had on disk."""
        self.old.start()
        self.replica.start()

    def fail_over(self) -> None:
        """Let the replica take over by command."""
        self.store.fail_over(self.replica)

    def move_slot(self) -> None:
        """Move the shard's slot to another master in one piece."""
        self.store.move_shard(self.shard, self.target)

    def begin_moving(self) -> None:
        """Begin to move the shard's slot key by key."""
        self.store.begin_moving(self.shard, self.target)

    def finish_moving(self) -> None:
        """Move the keys."""
        self.store.finish_moving(self.shard, self.old, self.target)

    @asynccontextmanager
    async def people(self) -> AsyncIterator[People]:
        """Browsers on A: people are in turns in the shard, and in one of another master."""
        async with AsyncExitStack() as stack:
            yield _People(self, stack)


class _People(People):
    def __init__(self, rig: ClusterFaultRig, stack: AsyncExitStack) -> None:
        super().__init__(rig.servers.a.url, stack)
        self._shards = itertools.cycle([[rig.shard], rig.spared])

    async def somebody(self) -> Client:
        """Somebody new, signed in."""
        wanted = next(self._shards)
        return await (await self.visitor()).sign_up(name_in(wanted))


def name_in(shards: list[int]) -> str:
    """A new name whose account is in one of these shards."""
    names = (f"citizen-{number}" for number in _numbers)
    return next(name for name in names if shard_of_user(name, SHARDS) in shards)
