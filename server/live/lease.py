"""This node's place on the list of nodes: renewed every third of the lease."""

import asyncio
import logging
import time
from datetime import timedelta

from server.core.errors import StoreUnavailable
from server.store.contract import NodeRegistry

log = logging.getLogger("curfew.lease")


class Lease:
    """Proves contact with the store.

    Args:
        registry: the list of nodes.
        node: this node's id.
        duration: how long one proof is good for, on the monotonic clock.
    """

    def __init__(self, registry: NodeRegistry, node: str, duration: timedelta) -> None:
        self._registry = registry
        self._node = node
        self._duration = duration.total_seconds()
        self._ends_at = 0.0

    @property
    def is_held(self) -> bool:
        """Whether the latest proof is still good."""
        return time.monotonic() < self._ends_at

    async def renew(self) -> None:
        """Prove contact once. The lease counts from before the question, not from the answer.

        Raises:
            StoreUnavailable: the earlier proof stays as good as it was.
        """
        asked_at = time.monotonic()
        await self._registry.renew(self._node)
        self._ends_at = asked_at + self._duration

    async def run(self) -> None:
        """Renew until cancelled."""
        while True:
            await asyncio.sleep(self._duration / 3)
            try:
                await self.renew()
            except StoreUnavailable as error:
                log.warning("lease not renewed: %s", error)

    async def release(self) -> None:
        """Leave the list. The caller has stopped serving."""
        self._ends_at = 0.0
        try:
            await self._registry.remove(self._node)
        except StoreUnavailable:
            log.warning("could not leave the list of nodes; the lease will run out")
