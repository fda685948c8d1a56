"""This node's place on the list of nodes: renewed every third of the lease."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from server.core.errors import StoreUnavailable
from server.realtime.fence import Fence
from server.store.contract import NodeRegistry

log = logging.getLogger("curfew.lease")

RETRY_AFTER: Final = timedelta(milliseconds=250)
"""Between tries while the store does not answer, if a third of the lease is longer."""


class Lease:
    """Keeps this node listed, as long as the control stream reaches it.

    Args:
        registry: the list of nodes.
        node: this node's id.
        duration: how long one renewal is good for.
        fence: told of every renewal.
        monotonic: seconds, never set back.
    """

    def __init__(
        self,
        registry: NodeRegistry,
        node: str,
        duration: timedelta,
        fence: Fence,
        monotonic: Callable[[], float],
    ) -> None:
        self._registry = registry
        self._node = node
        self._pause = (duration / 3).total_seconds()
        self._retry = min(self._pause, RETRY_AFTER.total_seconds())
        self._fence = fence
        self._monotonic = monotonic

    async def renew(self) -> None:
        """Be listed for one more lease, counted from before the question.

        Raises:
            StoreUnavailable: the earlier renewal stays as good as it was.
        """
        asked_at = self._monotonic()
        await self._registry.renew(self._node)
        self._fence.listed(asked_at)

    async def run(self) -> None:
        """Renew until cancelled. A node that the stream does not reach lets its lease run out."""
        while True:
            pause = self._retry
            if self._fence.follows:
                try:
                    await self.renew()
                    pause = self._pause
                except StoreUnavailable as error:
                    log.warning("lease not renewed: %s", error)
            await asyncio.sleep(pause)

    async def release(self) -> None:
        """Leave the list. The caller has stopped serving."""
        try:
            await self._registry.remove(self._node)
        except StoreUnavailable:
            log.warning("could not leave the list of nodes; the lease will run out")
