"""Who acknowledged which end: the waiting side of a termination."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from server.core.errors import StoreUnavailable
from server.core.events import Acknowledgement
from server.core.receipt import NodeCounts

LiveNodes = Callable[[], Awaitable[Mapping[str, float]]]
"""Asks the store which leases have not ended by its own clock, and when each ends."""

CLOCK_STEP: Final = 0.01
"""Seconds; the least wait, as our idea of the store's clock is a little off."""


class Acknowledgements:
    """What nodes said about one end, as it comes in.

    Args:
        live_nodes: the nodes whose lease has not ended.
        now: the store's clock, in Unix seconds.
    """

    def __init__(self, live_nodes: LiveNodes, now: Callable[[], float]) -> None:
        self._live_nodes = live_nodes
        self._now = now
        self._closed: dict[str, int] = {}
        self._arrived = asyncio.Event()

    @property
    def sockets_closed(self) -> int:
        """By all nodes that acknowledged."""
        return sum(self._closed.values())

    def add(self, node: str, closed: int) -> None:
        """Note what one node said. Saying it again changes nothing."""
        self._closed.setdefault(node, closed)
        self._arrived.set()

    async def wait_for(self, nodes: Mapping[str, float], wait: timedelta) -> NodeCounts:
        """Wait until all `nodes` acknowledged or lost their lease, but not longer than `wait`.

        A node that cannot be reached stays in the count until its lease has run out, whatever the
        list of nodes says meanwhile: until then it may serve.

        Args:
            nodes: listed when the end was written, with the end of each one's lease.
            wait: the caller's patience.
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
        """Wait for the next word of a node, or for the end of a lease."""
        self._arrived.clear()
        try:
            async with asyncio.timeout(max(CLOCK_STEP, lease_end - self._now())):
                await self._arrived.wait()
        except TimeoutError:
            pass


class PendingReceipts:
    """Hands incoming acknowledgements to those who wait for them.

    Args:
        live_nodes: the nodes whose lease has not ended.
        now: the store's clock, in Unix seconds.
    """

    def __init__(self, live_nodes: LiveNodes, now: Callable[[], float]) -> None:
        self._live_nodes = live_nodes
        self._now = now
        self._expected: dict[str, Acknowledgements] = {}

    @contextmanager
    def expecting(self, end_id: str) -> Iterator[Acknowledgements]:
        """Collect acknowledgements of `end_id`; entered before the end, so none is lost."""
        acknowledgements = self._expected[end_id] = Acknowledgements(self._live_nodes, self._now)
        try:
            yield acknowledgements
        finally:
            del self._expected[end_id]

    def acknowledged(self, acknowledgement: Acknowledgement) -> None:
        """Take what a node says. Nobody waiting any more is no fault."""
        for end_id, closed in acknowledgement.closed.items():
            if expected := self._expected.get(end_id):
                expected.add(acknowledgement.node, closed)
