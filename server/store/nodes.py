"""The list of nodes, with the end of each one's lease on the store's clock."""

import time
from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from redis.asyncio import Redis

from server.store.clock import StoreClock
from server.store.connection import ask
from server.store.names import ShardNames
from server.store.scripts import Scripts


class RedisNodeRegistry:
    """Implements `NodeRegistry`. Each shard has the list, so that its scripts can read it."""

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
        self._lease_ms = int(lease / timedelta(milliseconds=1))

    async def renew(self, node: str) -> None:
        for names in self._shards:
            asked_at = time.monotonic()
            seconds, microseconds = await self._scripts.run(
                "renew_lease", [names.nodes], [node, self._lease_ms]
            )
            self._clock.learn(int(seconds) + int(microseconds) / 1_000_000, asked_at=asked_at)

    async def leases(self) -> Mapping[str, float]:
        flat = await self._scripts.run("live_nodes", [self._shards[0].nodes], [])
        return {
            node.decode(): float(ends_at)
            for node, ends_at in zip(flat[::2], flat[1::2], strict=True)
        }

    async def remove(self, node: str) -> None:
        for names in self._shards:
            await ask("remove node", partial(self._client.zrem, names.nodes, node))
