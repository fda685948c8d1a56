"""The lists of nodes, in which nodes stay until they leave or are dropped."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from redis.asyncio import Redis

from server.core.durations import milliseconds
from server.core.nodes import ListedNode
from server.store.clock import StoreClock
from server.store.connection import execute
from server.store.names import ShardNames
from server.store.replies import read_leases, read_node, read_nodes
from server.store.scripts import Scripts

DROPPED_REMEMBERED: Final = timedelta(hours=1)
"""How long it is known that a node was dropped. If it comes back later, receipts are cautious."""


class RedisNodeRegistry:
    """Implements `NodeRegistry`. Each shard holds the list, so that its scripts can read it.

    Args:
        client: the store.
        scripts: runs `renew_lease`, `list_nodes` and `drop_node`.
        clock: corrected by every renewal, which replies the store's time.
        shards: how many shards the store has.
        lease: how long a renewal of this node is valid.
        is_cluster: whether shards have clocks of their own. The first one's is the store's.
    """

    def __init__(
        self,
        client: Redis,
        scripts: Scripts,
        clock: StoreClock,
        shards: int,
        lease: timedelta,
        *,
        is_cluster: bool = False,
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._clock = clock
        self._shards = [ShardNames(shard) for shard in range(shards)]
        self._lease_ms = milliseconds(lease)
        self._is_cluster = is_cluster

    async def renew(self, node: str, number: int) -> Sequence[Mapping[str, ListedNode]]:
        return [await self.renew_in(each.shard, node, number) for each in self._shards]

    async def renew_in(self, shard: int, node: str, number: int) -> Mapping[str, ListedNode]:
        """Do as `renew` in one shard, and return its list."""
        names, asked_at = self._shards[shard], time.monotonic()
        seconds, microseconds, *nodes = await self._scripts.run(
            "renew_lease", [*_keys(names), names.dropped(node)], [node, self._lease_ms, number]
        )
        if not (self._is_cluster and shard):
            self._clock.learn(int(seconds) + int(microseconds) / 1_000_000, asked_at=asked_at)
        return read_nodes(*nodes)

    async def lists(self) -> Sequence[Mapping[str, ListedNode]]:
        return [await self.list_of(each.shard) for each in self._shards]

    async def list_of(self, shard: int) -> Mapping[str, ListedNode]:
        """Return the list of one shard."""
        keys = _keys(self._shards[shard])
        return read_nodes(*await self._scripts.run("list_nodes", keys, []))

    async def leases(self) -> Mapping[str, float]:
        leases, _ = await self._scripts.run("list_nodes", _keys(self._shards[0]), [])
        return read_leases(leases)

    async def drop(self, shard: int, node: str, listed: ListedNode) -> ListedNode | None:
        lease_end, _, renewal = listed.mark.partition(" ")
        names = self._shards[shard]
        found = await self._scripts.run(
            "drop_node",
            [*_keys(names), names.dropped(node)],
            [node, lease_end, renewal, milliseconds(DROPPED_REMEMBERED)],
        )
        return read_node(*found) if found else None

    async def remove(self, node: str) -> None:
        for names in self._shards:
            await self.remove_from(names.shard, node)

    async def remove_from(self, shard: int, node: str) -> None:
        """Remove a node from the list of one shard."""
        names = self._shards[shard]
        await execute("remove node", partial(self._client.zrem, names.nodes, node))
        await execute("remove node", partial(self._client.hdel, names.renewals, node))


class ShardNodeRegistry:
    """Implements `NodeRegistry` for the list of one shard of a cluster.

    Args:
        registry: the lists of all shards.
        shard: whose list it is.
    """

    def __init__(self, registry: RedisNodeRegistry, shard: int) -> None:
        self._registry = registry
        self._shard = shard

    async def renew(self, node: str, number: int) -> Sequence[Mapping[str, ListedNode]]:
        """See `NodeRegistry`."""
        return [await self._registry.renew_in(self._shard, node, number)]

    async def lists(self) -> Sequence[Mapping[str, ListedNode]]:
        """See `NodeRegistry`."""
        return [await self._registry.list_of(self._shard)]

    async def leases(self) -> Mapping[str, float]:
        """See `NodeRegistry`."""
        return await self._registry.leases()

    async def drop(self, shard: int, node: str, listed: ListedNode) -> ListedNode | None:
        """See `NodeRegistry`."""
        return await self._registry.drop(shard, node, listed)

    async def remove(self, node: str) -> None:
        """See `NodeRegistry`."""
        await self._registry.remove_from(self._shard, node)


def _keys(names: ShardNames) -> list[str]:
    return [names.nodes, names.renewals]
