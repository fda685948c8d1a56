"""Collects the acknowledgements of nodes while terminations wait for them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from server.core.errors import StoreUnavailable
from server.core.events import Acknowledgement
from server.core.receipt import NodeCounts

LiveNodes = Callable[[], Awaitable[Mapping[str, float]]]
"""Returns the nodes whose lease has not ended by the store's clock, and when each lease ends."""

CLOCK_STEP: Final = 0.01
"""Seconds; the shortest wait, because this node's idea of the store's clock is slightly off."""


class PendingReceipt:
    """The acknowledgements of one end so far.

    Args:
        live_nodes: returns the nodes whose lease has not ended.
        now: the store's clock, in Unix seconds.
    """

    def __init__(self, live_nodes: LiveNodes, now: Callable[[], float]) -> None:
        self._live_nodes = live_nodes
        self._now = now
        self._closed: dict[str, int] = {}
        self._arrived = asyncio.Event()

    @property
    def sockets_closed(self) -> int:
        """How many sockets the nodes that acknowledged have closed."""
        return sum(self._closed.values())

    def add(self, node: str, closed: int) -> None:
        """Add the acknowledgement of a node. A repeated one changes nothing."""
        self._closed.setdefault(node, closed)
        self._arrived.set()

    async def wait_for(self, nodes: Mapping[str, float], wait: timedelta) -> NodeCounts:
        """Wait until all nodes have acknowledged or lost their lease.

        A node that cannot be reached is counted until its lease has run out, even if it is no
        longer listed: until then it may serve.

        Args:
            nodes: the nodes that were listed when the end was written, with the end of each lease.
            wait: the longest time to wait.

        Returns:
            How many nodes acknowledged, lost their lease, or did neither.
        """
        leases, expired = dict(nodes), set[str]()
        try:
            async with asyncio.timeout(wait.total_seconds()):
                while waiting := leases.keys() - self._closed.keys() - expired:
                    soonest = min(leases[node] for node in waiting)
                    if self._now() < soonest:
                        await self._wait_until(soonest)
                        continue
                    live = await self._live_nodes()
                    expired |= waiting - live.keys()
                    leases |= {node: live[node] for node in waiting & live.keys()}
        except (TimeoutError, StoreUnavailable):
            pass
        acked = leases.keys() & self._closed.keys()
        return NodeCounts(
            acked=len(acked),
            lease_expired=len(expired - acked),
            waiting=len(leases.keys() - acked - expired),
        )

    async def _wait_until(self, lease_end: float) -> None:
        """Wait for the next acknowledgement, but not past the end of a lease."""
        self._arrived.clear()
        try:
            async with asyncio.timeout(max(CLOCK_STEP, lease_end - self._now())):
                await self._arrived.wait()
        except TimeoutError:
            pass


class PendingReceipts:
    """Passes incoming acknowledgements to the terminations that wait for them.

    Args:
        live_nodes: returns the nodes whose lease has not ended.
        now: the store's clock, in Unix seconds.
    """

    def __init__(self, live_nodes: LiveNodes, now: Callable[[], float]) -> None:
        self._live_nodes = live_nodes
        self._now = now
        self._pending: dict[str, PendingReceipt] = {}

    @contextmanager
    def expecting(self, end_id: str) -> Iterator[PendingReceipt]:
        """Collect the acknowledgements of an end.

        Enter it before the end is written, so that no acknowledgement is missed.
        """
        receipt = self._pending[end_id] = PendingReceipt(self._live_nodes, self._now)
        try:
            yield receipt
        finally:
            del self._pending[end_id]

    def acknowledge(self, acknowledgement: Acknowledgement) -> None:
        """Add a node's acknowledgement to the receipts it belongs to.

        A receipt may already have been given out; its acknowledgements are ignored.
        """
        for end_id, closed in acknowledgement.closed.items():
            if receipt := self._pending.get(end_id):
                receipt.add(acknowledgement.node, closed)
