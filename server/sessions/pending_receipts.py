"""Collects the acknowledgements of nodes while terminations wait for them.

A node that says nothing may serve until its lease is over. That is measured here, on a clock that
is never set: its entry in the list of nodes has been the same for a whole lease. What the store's
clock says about its lease is not asked, because that clock may have been set.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from server.core.context import NodeContext
from server.core.errors import StoreUnavailable
from server.core.events import Acknowledgement
from server.core.nodes import NodeWatch
from server.core.receipt import NodeCounts
from server.store.contract import Ended, NodeRegistry

UNKNOWN: Final = ""
"""Stands for the nodes that may be missing from a list that the store has lost."""


class PendingReceipt:
    """The acknowledgements of one end so far.

    Args:
        registry: the lists of nodes.
        watch: remembers since when each node is silent.
        node: this node.
        monotonic: seconds on a clock that is never set back.
    """

    def __init__(
        self,
        registry: NodeRegistry,
        watch: NodeWatch,
        node: str,
        monotonic: Callable[[], float],
    ) -> None:
        self._registry = registry
        self._watch = watch
        self._node = node
        self._monotonic = monotonic
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

    async def wait_for(self, ended: Ended, wait: timedelta) -> NodeCounts:
        """Wait until all nodes have acknowledged or lost their lease.

        A node that is not on the list any more is counted until a whole lease has passed since the
        end: by then it has read of the end, or serves nothing.

        Args:
            ended: the end as it was written, with the nodes that were listed.
            wait: the longest time to wait.

        Returns:
            How many nodes acknowledged, lost their lease, or did neither.
        """
        silence = _Silence(self._registry, self._watch, ended, self._monotonic())
        nodes = set(ended.nodes)
        if self._lacks_nodes(ended):
            nodes.add(UNKNOWN)
        try:
            async with asyncio.timeout(wait.total_seconds()):
                while waiting := nodes - self._closed.keys() - silence.over:
                    soonest = min(sorted(waiting), key=silence.over_at)
                    if self._monotonic() < silence.over_at(soonest):
                        await self._wait_until(silence.over_at(soonest))
                    else:
                        await silence.check(soonest, self._monotonic)
        except (TimeoutError, StoreUnavailable):
            pass
        acked = nodes & self._closed.keys()
        return NodeCounts(
            acked=len(acked),
            lease_expired=len(silence.over - acked),
            waiting=len(nodes - acked - silence.over),
        )

    def _lacks_nodes(self, ended: Ended) -> bool:
        """Return whether the list has lost nodes: this one, or others a short time ago."""
        is_lost = self._watch.has_lost(ended.shard, self._node, ended.nodes)
        return is_lost or self._watch.may_lack_nodes(self._monotonic(), ended.shard)

    async def _wait_until(self, moment: float) -> None:
        """Wait for the next acknowledgement, but not past a moment."""
        self._arrived.clear()
        try:
            async with asyncio.timeout(max(0.0, moment - self._monotonic())):
                await self._arrived.wait()
        except TimeoutError:
            pass


class _Silence:
    """Measures whose lease is over, for one end.

    Args:
        registry: the lists of nodes.
        watch: remembers since when each node is silent.
        ended: the end.
        accepted_at: when the store had answered that it is written.
    """

    def __init__(
        self, registry: NodeRegistry, watch: NodeWatch, ended: Ended, accepted_at: float
    ) -> None:
        self._registry = registry
        self._shard = ended.shard
        self._watch = watch
        self._nodes = dict(ended.nodes)
        leases = [watch.longest(each.lease) for each in ended.nodes.values()]
        self._bound = accepted_at + max(watch.longest(), *leases, 0)
        self._over_at = {
            node: watch.over_at(ended.shard, node, listed, accepted_at)
            for node, listed in ended.nodes.items()
        }
        self.over = set[str]()

    def over_at(self, node: str) -> float:
        """Return when the lease of a node is over, unless it renews it."""
        return self._over_at.get(node, self._bound)

    async def check(self, node: str, monotonic: Callable[[], float]) -> None:
        """Look whether a node has renewed its lease. Call it at `over_at`.

        Raises:
            StoreUnavailable: it is not known.
        """
        asked_at, listed = monotonic(), self._nodes.get(node)
        found = listed and await self._registry.drop(self._shard, node, listed)
        if found is None:
            # It left, or was dropped, or its entry was lost.
            self._over_at[node] = max(self._over_at.get(node, self._bound), self._bound)
            if asked_at >= self._bound:
                self.over.add(node)
        elif found == listed:
            self.over.add(node)
        else:
            self._nodes[node] = found
            self._over_at[node] = self._watch.over_at(self._shard, node, found, monotonic())


class PendingReceipts:
    """Passes incoming acknowledgements to the terminations that wait for them.

    Args:
        registry: the lists of nodes.
        watch: remembers since when each node is silent.
        context: this node's id and clocks.
    """

    def __init__(self, registry: NodeRegistry, watch: NodeWatch, context: NodeContext) -> None:
        self._registry = registry
        self._watch = watch
        self._context = context
        self._pending: dict[str, PendingReceipt] = {}

    @contextmanager
    def expecting(self, end_id: str) -> Iterator[PendingReceipt]:
        """Collect the acknowledgements of an end.

        Enter it before the end is written, so that no acknowledgement is missed.
        """
        receipt = self._pending[end_id] = PendingReceipt(
            self._registry, self._watch, self._context.node, self._context.monotonic
        )
        try:
            yield receipt
        finally:
            del self._pending[end_id]

    def are_awaited(self) -> bool:
        """Return whether a termination waits for acknowledgements now."""
        return bool(self._pending)

    def acknowledge(self, acknowledgement: Acknowledgement) -> None:
        """Add a node's acknowledgement to the receipts it belongs to.

        A receipt may already have been given out; its acknowledgements are ignored.
        """
        for end_id, closed in acknowledgement.closed.items():
            if receipt := self._pending.get(end_id):
                receipt.add(acknowledgement.node, closed)
