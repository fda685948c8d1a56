"""Whether this node and the store still fit each other, looked at while it serves.

The data may be restored under a running server, or all of it may go. What is gone is written again,
as at the start. A node that does not fit lets its lease run out: it would take every session for
forged and every password for wrong, and so it answers like one without a store.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from redis.asyncio import Redis

from server.core.errors import ConfigurationError, StoreUnavailable
from server.core.nodes import ListedNode
from server.store.contract import NodeRegistry
from server.store.inspection import claim_layout
from server.store.key_witness import KeyWitness

log = logging.getLogger("curfew.store")

INTERVAL: Final = timedelta(seconds=2)


class StoreWatch:
    """Looks at the layout and at the key witness again and again.

    Args:
        client: the store.
        shards: how many shards the store must be laid out for.
        witness: compares the keys with the data.

    Attributes:
        problem: what does not fit; None if all does.
    """

    def __init__(self, client: Redis, shards: int, witness: KeyWitness) -> None:
        self._client = client
        self._shards = shards
        self._witness = witness
        self.problem: str | None = None

    async def run(self) -> None:
        """Look every two seconds, until cancelled, and log what changes."""
        while True:
            await asyncio.sleep(INTERVAL.total_seconds())
            try:
                await self.look()
            except StoreUnavailable:
                continue

    async def look(self) -> None:
        """Look once.

        Raises:
            StoreUnavailable: the store did not answer; what was known stays.
        """
        before, self.problem = self.problem, await self._find_problem()
        if self.problem and self.problem != before:
            log.error("this node stops serving: %s", self.problem)
        elif before and not self.problem:
            log.warning("this node fits the store again")

    async def _find_problem(self) -> str | None:
        try:
            await claim_layout(self._client, self._shards)
            await self._witness.require()
        except ConfigurationError as error:
            return str(error)
        return None


class WatchedRegistry:
    """Implements `NodeRegistry`: another one, where only a node that fits the store is listed.

    Args:
        registry: the list of nodes.
        watch: says whether this node fits.
    """

    def __init__(self, registry: NodeRegistry, watch: StoreWatch) -> None:
        self._registry = registry
        self._watch = watch

    async def renew(self, node: str, number: int) -> Sequence[Mapping[str, ListedNode]]:
        """See `NodeRegistry`."""
        if self._watch.problem:
            raise StoreUnavailable("a node that does not fit it")
        return await self._registry.renew(node, number)

    async def lists(self) -> Sequence[Mapping[str, ListedNode]]:
        """See `NodeRegistry`."""
        return await self._registry.lists()

    async def drop(self, shard: int, node: str, listed: ListedNode) -> ListedNode | None:
        """See `NodeRegistry`."""
        return await self._registry.drop(shard, node, listed)

    async def leases(self) -> Mapping[str, float]:
        """See `NodeRegistry`."""
        return await self._registry.leases()

    async def remove(self, node: str) -> None:
        """See `NodeRegistry`."""
        await self._registry.remove(node)
