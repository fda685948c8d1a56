"""Waiting for acknowledgements: what a receipt may count as stopped, and when."""

import asyncio
from datetime import timedelta
from typing import cast

import pytest

from server.core.errors import StoreUnavailable
from server.core.events import Acknowledgement
from server.core.nodes import ListedNode, NodeWatch
from server.core.receipt import NodeCounts
from server.sessions.pending_receipts import PendingReceipt, PendingReceipts
from server.store.contract import Ended, NodeRegistry
from tests.support.engine.quiet import quiet_context
from tests.support.engine.virtual_time import monotonic, on_virtual_time

PATIENCE = timedelta(seconds=10)


class Listed:
    """The list of nodes, each with the seconds of its lease, and the receipts of the node `self`.

    Attributes:
        leases: the entries as the store has them.
        asked: how often the store was asked.
        is_down: whether the store does not answer.
        watch: since when the entries have been the same.
    """

    def __init__(self, **leases: float) -> None:
        self.leases = {node: ListedNode("first", seconds) for node, seconds in leases.items()}
        self.asked = 0
        self.is_down = False
        self.watch = NodeWatch(timedelta(seconds=2))
        context = quiet_context(monotonic, node="self", monotonic=monotonic)
        self.receipts = PendingReceipts(cast("NodeRegistry", self), self.watch, context)

    async def drop(self, _: int, node: str, listed: ListedNode) -> ListedNode | None:
        """See `NodeRegistry`."""
        self.asked += 1
        if self.is_down:
            raise StoreUnavailable("drop")
        found = self.leases.get(node)
        if found == listed:
            del self.leases[node]
        return found

    def acknowledge(self, node: str, closed: int = 0, end_id: str = "e1") -> None:
        """Take the acknowledgement of a node."""
        self.receipts.acknowledge(Acknowledgement(node, {end_id: closed}))

    async def end(self, *acknowledging: str) -> tuple[NodeCounts, float]:
        """Write an end, take the acknowledgements of these nodes, and wait for the others."""
        with self.receipts.expecting("e1") as pending:
            for node in acknowledging:
                self.acknowledge(node)
            return await self.wait(pending)

    async def wait(self, pending: PendingReceipt) -> tuple[NodeCounts, float]:
        """Wait for all nodes; return what is known of them, and the seconds it took."""
        began = monotonic()
        counts = await pending.wait_for(Ended((), 0, dict(self.leases)), PATIENCE)
        return counts, monotonic() - began


@on_virtual_time
async def test_it_is_answered_as_soon_as_all_nodes_have_acknowledged() -> None:
    listed = Listed(n1=5, n2=5)
    with listed.receipts.expecting("e1") as pending:
        listed.acknowledge("n1", 2)  # even before anybody waits
        asyncio.get_running_loop().call_later(0.3, listed.acknowledge, "n2", 3)
        counts, seconds = await listed.wait(pending)
    assert counts == NodeCounts(acked=2)
    assert seconds == pytest.approx(0.3)
    assert pending.sockets_closed == 5
    assert listed.asked == 0


@on_virtual_time
async def test_a_node_that_says_nothing_is_waited_for_until_its_lease_is_over() -> None:
    listed = Listed(n1=5, n2=2)
    counts, seconds = await listed.end("n1")
    assert counts == NodeCounts(acked=1, lease_expired=1)
    assert seconds == pytest.approx(2, abs=0.05)


@on_virtual_time
async def test_a_node_that_left_the_list_is_counted_until_its_lease_is_over() -> None:
    listed = Listed(n1=2)
    asyncio.get_running_loop().call_later(0.1, listed.leases.clear)
    counts, seconds = await listed.end()
    assert counts == NodeCounts(lease_expired=1)
    assert seconds == pytest.approx(2, abs=0.05)


@on_virtual_time
async def test_a_node_that_was_silent_before_the_end_is_waited_for_only_for_the_rest() -> None:
    listed = Listed(n1=2)
    listed.watch.see(0, listed.leases, monotonic() - 1.5)
    counts, seconds = await listed.end()
    assert counts == NodeCounts(lease_expired=1)
    assert seconds == pytest.approx(0.5, abs=0.05)
    assert listed.leases == {}


@on_virtual_time
async def test_a_node_that_renewed_is_waited_for_a_whole_lease_again() -> None:
    listed = Listed(n1=2)
    loop = asyncio.get_running_loop()
    loop.call_later(1, listed.leases.update, {"n1": ListedNode("renewed", 2)})
    counts, seconds = await listed.end()
    assert counts == NodeCounts(lease_expired=1)
    assert seconds == pytest.approx(4, abs=0.1)


@on_virtual_time
async def test_a_node_that_left_the_list_early_is_counted_for_a_lease_after_the_end() -> None:
    listed = Listed(n1=2)
    listed.watch.see(0, listed.leases, monotonic() - 1.5)
    asyncio.get_running_loop().call_later(0.1, listed.leases.clear)
    counts, seconds = await listed.end()
    assert counts == NodeCounts(lease_expired=1)
    assert seconds == pytest.approx(2, abs=0.05)


@on_virtual_time
async def test_a_list_that_lacks_this_node_has_lost_others_too() -> None:
    listed = Listed(n1=2)
    listed.watch.see(0, {"self": ListedNode("first", 2)}, monotonic())
    counts, seconds = await listed.end("n1", "self")
    assert counts == NodeCounts(acked=1, lease_expired=1)
    assert seconds == pytest.approx(2, abs=0.05)


@on_virtual_time
async def test_for_a_lease_after_a_loss_no_receipt_is_of_the_listed_nodes_alone() -> None:
    listed = Listed(n1=2)
    listed.watch.note_loss(monotonic() - 1)
    counts, seconds = await listed.end("n1")
    assert counts == NodeCounts(acked=1, lease_expired=1)
    assert seconds == pytest.approx(2, abs=0.05)


@on_virtual_time
async def test_a_node_that_renews_and_says_nothing_is_waited_for_to_the_end() -> None:
    listed = Listed(n1=2)
    asyncio.get_running_loop().call_later(
        1, listed.leases.update, {"n1": ListedNode("renewed", 60)}
    )
    counts, seconds = await listed.end()
    assert counts == NodeCounts(waiting=1)
    assert seconds == pytest.approx(PATIENCE.total_seconds())


@on_virtual_time
async def test_a_store_that_does_not_answer_leaves_the_node_in_doubt() -> None:
    listed = Listed(n1=5, n2=2)
    listed.is_down = True
    with listed.receipts.expecting("e1") as pending:
        listed.acknowledge("n1")
        counts, _ = await listed.wait(pending)
    assert counts == NodeCounts(acked=1, waiting=1)


@on_virtual_time
async def test_an_acknowledgement_that_comes_after_its_lease_counts_as_one() -> None:
    listed = Listed(n1=1, n2=5)
    with listed.receipts.expecting("e1") as pending:
        loop = asyncio.get_running_loop()
        loop.call_later(2, listed.acknowledge, "n1")
        loop.call_later(3, listed.acknowledge, "n2")
        counts, _ = await listed.wait(pending)
    assert counts == NodeCounts(acked=2)


@on_virtual_time
async def test_an_acknowledgement_that_comes_twice_counts_once() -> None:
    listed = Listed(n1=5)
    with listed.receipts.expecting("e1") as pending:
        listed.acknowledge("n1", 2)
        listed.acknowledge("n1", 2)
        assert pending.sockets_closed == 2


@on_virtual_time
async def test_acknowledgements_reach_their_own_receipt_only_and_late_ones_nobody() -> None:
    listed = Listed(n1=5)
    with listed.receipts.expecting("e1") as one, listed.receipts.expecting("e2") as two:
        listed.acknowledge("n1", 2, "e2")
        assert (one.sockets_closed, two.sockets_closed) == (0, 2)
    listed.acknowledge("n1", 9, "e2")
    assert two.sockets_closed == 2


@on_virtual_time
async def test_where_no_node_is_listed_there_is_nothing_to_wait_for() -> None:
    listed = Listed()
    counts, seconds = await listed.end()
    assert (counts, seconds) == (NodeCounts(), 0)


@on_virtual_time
async def test_acknowledgements_are_awaited_as_long_as_an_end_waits_for_them() -> None:
    listed = Listed()
    assert not listed.receipts.are_awaited()
    with listed.receipts.expecting("e1"):
        assert listed.receipts.are_awaited()
    assert not listed.receipts.are_awaited()
