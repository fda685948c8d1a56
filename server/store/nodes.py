"""The list of nodes, with the end of each lease on the store's clock."""

import time
from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from redis.asyncio import Redis

from server.core.durations import milliseconds
from server.store.clock import StoreClock
from server.store.connection import execute
from server.store.names import ShardNames
from server.store.replies import read_leases
from server.store.scripts import Scripts


class RedisNodeRegistry:
    """Implements `NodeRegistry`. Each shard holds the list, so that its scripts can read it.

    Args:
        client: the store.
        scripts: runs `renew_lease` and `live_nodes`.
        clock: corrected by every renewal, which replies the store's time.
        shards: how many shards the store has.
        lease: how long a node stays listed without renewal.
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

    async def renew(self, node: str) -> None:
        for names in self._shards:
            asked_at = time.monotonic()
            seconds, microseconds = await self._scripts.run(
                "renew_lease", [names.nodes], [node, self._lease_ms]
            )
            self._clock.learn(int(seconds) + int(microseconds) / 1_000_000, asked_at=asked_at)

    async def leases(self) -> Mapping[str, float]:
        return read_leases(await self._scripts.run("live_nodes", [self._shards[0].nodes], []))

    async def remove(self, node: str) -> None:
        for names in self._shards:
            await execute("remove node", partial(self._client.zrem, names.nodes, node))
