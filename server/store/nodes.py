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
    """

    def __init__(
        self,
        client: Redis,
        scripts: Scripts,
        clock: StoreClock,
        shards: int,
        lease: timedelta,
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._clock = clock
        self._shards = [ShardNames(shard) for shard in range(shards)]
        self._lease_ms = milliseconds(lease)

    async def renew(self, node: str, number: int) -> Sequence[Mapping[str, ListedNode]]:
        lists = []
        for names in self._shards:
            asked_at = time.monotonic()
            seconds, microseconds, *nodes = await self._scripts.run(
                "renew_lease", [*_keys(names), names.dropped(node)], [node, self._lease_ms, number]
            )
            self._clock.learn(int(seconds) + int(microseconds) / 1_000_000, asked_at=asked_at)
            lists.append(read_nodes(*nodes))
        return lists

    async def lists(self) -> Sequence[Mapping[str, ListedNode]]:
        return [
            read_nodes(*await self._scripts.run("list_nodes", _keys(names), []))
            for names in self._shards
        ]

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
            await execute("remove node", partial(self._client.zrem, names.nodes, node))
            await execute("remove node", partial(self._client.hdel, names.renewals, node))


def _keys(names: ShardNames) -> list[str]:
    return [names.nodes, names.renewals]
