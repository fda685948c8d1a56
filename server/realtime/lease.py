"""This node's place on the list of nodes, renewed three times per lease."""

import asyncio
import logging
from datetime import timedelta
from typing import Final

from server.core.context import NodeContext
from server.core.errors import StoreUnavailable
from server.realtime.fence import Fence
from server.store.contract import NodeRegistry

log = logging.getLogger("curfew.lease")

RETRY_AFTER: Final = timedelta(milliseconds=250)
"""The longest time between two tries while the store does not answer."""


class Lease:
    """Keeps this node listed while the control stream reaches it.

    Args:
        registry: the list of nodes.
        fence: takes the proof of each renewal.
        duration: how long a renewal is valid.
        context: this node's id and clocks.
    """

    def __init__(
        self, registry: NodeRegistry, fence: Fence, duration: timedelta, context: NodeContext
    ) -> None:
        self._registry = registry
        self._fence = fence
        self._pause = (duration / 3).total_seconds()
        self._retry = min(self._pause, RETRY_AFTER.total_seconds())
        self._context = context

    async def renew(self) -> None:
        """List this node for one more lease, counted from before the request.

        Raises:
            StoreUnavailable: the earlier renewal stays as valid as it was.
        """
        asked_at = self._context.monotonic()
        await self._registry.renew(self._context.node)
        self._fence.note_listed(asked_at)

    async def run(self) -> None:
        """Renew until cancelled. A node that the stream does not reach lets its lease run out."""
        while True:
            pause = self._retry
            if self._fence.follows:
                try:
                    await self.renew()
                    pause = self._pause
                except StoreUnavailable as error:
                    log.warning("the lease was not renewed: %s", error)
            await asyncio.sleep(pause)

    async def release(self) -> None:
        """Take this node off the list. Call it when the node has stopped serving."""
        try:
            await self._registry.remove(self._context.node)
        except StoreUnavailable:
            log.warning("this node could not leave the list of nodes; its lease will run out")
