"""This node's place on the list of nodes, renewed three times per lease; and that of the others."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from server.core.context import NodeContext
from server.core.errors import StoreUnavailable
from server.core.nodes import ListedNode, NodeWatch
from server.realtime.fence import Fence
from server.store.contract import NodeRegistry

log = logging.getLogger("curfew.lease")

RETRY_AFTER: Final = timedelta(milliseconds=250)
"""The longest time between two tries while the store does not answer, or the answer is no proof."""


class Lease:
    """Keeps this node listed while the control stream reaches it, and drops nodes that are silent.

    Args:
        registry: the lists of nodes.
        watch: remembers since when the others are silent.
        fence: takes the proof of each renewal.
        duration: how long a renewal is valid.
        context: this node's id and clocks.
        shard: whose list it is about; None for the lists of all shards.
    """

    def __init__(
        self,
        registry: NodeRegistry,
        watch: NodeWatch,
        fence: Fence,
        duration: timedelta,
        context: NodeContext,
        shard: int | None = None,
    ) -> None:
        self._registry = registry
        self._watch = watch
        self._fence = fence
        self._pause = (duration / 3).total_seconds()
        self._retry = min(self._pause, RETRY_AFTER.total_seconds())
        self._context = context
        self._shard = shard
        self._number = 0
        self._began: list[int] = []

    @property
    def listed(self) -> int:
        """How many nodes serve, as far as this one knows; it is one of them."""
        return self._watch.listed

    async def renew(self) -> None:
        """List this node for one more lease, counted from before the request.

        Raises:
            StoreUnavailable: the earlier renewal stays as valid as it was.
        """
        asked_at = self._context.monotonic()
        self._number += 1
        lists = await self._registry.renew(self._context.node, self._number)
        self._notice_loss([each[self._context.node].began for each in lists])
        self._see(lists)
        self._fence.note_listed(asked_at)

    async def run(self) -> None:
        """Renew until cancelled. A node that the stream does not reach lets its lease run out."""
        while True:
            pause = self._retry
            if self._fence.follows:
                try:
                    await self.renew()
                    pause = self._retry if self._fence.lacks_listing else self._pause
                except StoreUnavailable as error:
                    log.warning("the lease was not renewed: %s", error)
                else:
                    await self._drop_silent()
            await asyncio.sleep(pause)

    async def release(self) -> None:
        """Take this node off the list. Call it when the node has stopped serving."""
        try:
            await self._registry.remove(self._context.node)
        except StoreUnavailable:
            log.warning("this node could not leave the list of nodes; its lease will run out")

    async def settle(self) -> None:
        """Wait until every listed node has renewed or is dropped. It takes the longest lease.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        await self.look()
        await asyncio.sleep(self._watch.longest_listed())
        await self.look()
        await self._drop_silent()

    async def look(self) -> None:
        """Read the lists without being on them, as a command does.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        self._see(await self._registry.lists())

    def _notice_loss(self, began: list[int]) -> None:
        """Notice if a list had lost this node. It may have lost others too, which still serve."""
        if self._began not in ([], began):
            log.warning("the list of nodes was lost: no receipt is complete for one lease")
            self._watch.note_loss(self._context.monotonic(), self._shard)
        self._began = began

    def _see(self, lists: Sequence[Mapping[str, ListedNode]]) -> None:
        now = self._context.monotonic()
        for shard, nodes in enumerate(lists, self._shard or 0):
            self._watch.see(shard, nodes, now)

    async def _drop_silent(self) -> None:
        """Drop the nodes that have not renewed for a whole lease. They serve nothing."""
        try:
            for shard, node, listed in self._watch.silent(self._context.monotonic()):
                if self._shard not in (None, shard):
                    continue
                if await self._registry.drop(shard, node, listed) == listed:
                    log.info("node %s has not renewed its lease, and is dropped", node)
        except StoreUnavailable as error:
            log.warning("silent nodes stay on the list of nodes: %s", error)
