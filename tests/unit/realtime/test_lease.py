"""The lease: renewed in time, proved to the fence, and given up by a node that hears nothing."""

import asyncio

import pytest

from server.realtime.lease import RETRY_AFTER
from tests.support.engine.memory_node import LEASE, MemoryNode, store_time
from tests.support.engine.virtual_time import monotonic, on_virtual_time, virtual_loop

SECONDS = LEASE.total_seconds()


class Leased:
    """A node that runs nothing but its lease."""

    def __init__(self) -> None:
        self.node = MemoryNode()
        self.lease = self.node.lease
        self.fence = self.node.fence

    @property
    def is_listed(self) -> bool:
        """Whether the store lists the node, and its lease is not over."""
        return self.node.memory.nodes.get("n1", 0) > store_time()

    def run(self) -> None:
        """Renew from here on."""
        virtual_loop().create_task(self.lease.run())


@on_virtual_time
async def test_a_renewal_lists_the_node_and_is_proved_from_before_the_question() -> None:
    leased = Leased()
    asked_at = monotonic()
    await leased.lease.renew()
    assert leased.is_listed
    assert leased.fence.listed_age == pytest.approx(monotonic() - asked_at)
    assert leased.fence.listed_age > 0


@on_virtual_time
async def test_it_is_renewed_several_times_in_a_lease() -> None:
    leased = Leased()
    leased.fence.note_followed(float("inf"))
    leased.run()
    for _ in range(50):
        await asyncio.sleep(SECONDS / 5)
        assert leased.fence.listed_age < SECONDS / 2
        assert leased.node.memory.nodes["n1"] > store_time() + SECONDS / 2


@on_virtual_time
async def test_a_node_that_the_stream_does_not_reach_lets_it_run_out() -> None:
    leased = Leased()
    leased.fence.note_followed(monotonic())
    leased.run()
    await asyncio.sleep(SECONDS / 2)
    assert leased.is_listed
    await asyncio.sleep(2 * SECONDS)
    assert not leased.is_listed
    leased.fence.note_followed(float("inf"))
    await asyncio.sleep(RETRY_AFTER.total_seconds() + 0.01)
    assert leased.is_listed


@on_virtual_time
async def test_a_renewal_that_failed_proves_nothing_and_is_tried_again_soon(
    caplog: pytest.LogCaptureFixture,
) -> None:
    leased = Leased()
    leased.fence.note_followed(float("inf"))
    leased.run()
    await asyncio.sleep(SECONDS)
    leased.node.cut()
    await asyncio.sleep(5 * SECONDS)
    assert leased.fence.listed_age > 4 * SECONDS
    assert "the lease was not renewed" in caplog.text
    leased.node.heal()
    await asyncio.sleep(RETRY_AFTER.total_seconds() + 0.6)  # a try under way takes half a second
    assert leased.fence.listed_age < SECONDS


@on_virtual_time
async def test_a_renewal_from_before_anybody_vouched_for_the_master_is_repeated_soon() -> None:
    leased = Leased()
    vouched_at = [monotonic()]
    leased.fence._vouched_at = lambda: vouched_at[-1]
    leased.fence.note_followed(monotonic())
    leased.run()
    await asyncio.sleep(RETRY_AFTER.total_seconds())
    assert leased.fence.lacks_listing
    vouched_at.append(monotonic())
    await asyncio.sleep(1.5 * RETRY_AFTER.total_seconds())
    assert not leased.fence.lacks_listing
    numbers = leased.lease._number
    await asyncio.sleep(SECONDS / 4)
    assert leased.lease._number == numbers  # now it has time


@on_virtual_time
async def test_a_node_that_stops_leaves_the_list() -> None:
    leased = Leased()
    await leased.lease.renew()
    await leased.lease.release()
    assert not leased.is_listed


@on_virtual_time
async def test_a_node_that_cannot_leave_the_list_says_so_and_stops_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    leased = Leased()
    await leased.lease.renew()
    leased.node.cut()
    await leased.lease.release()
    assert "its lease will run out" in caplog.text


@on_virtual_time
async def test_a_node_that_does_not_renew_is_dropped_after_a_whole_lease() -> None:
    leased = Leased()
    leased.fence.note_followed(float("inf"))
    leased.node.memory.renew("dead")
    leased.run()
    await asyncio.sleep(SECONDS)
    assert "dead" in leased.node.memory.nodes
    await asyncio.sleep(SECONDS / 2)
    assert set(leased.node.memory.nodes) == {"n1"}


@on_virtual_time
async def test_a_node_that_renews_is_never_dropped_whatever_its_entry_says() -> None:
    leased = Leased()
    leased.fence.note_followed(float("inf"))
    leased.run()
    for _ in range(30):
        leased.node.memory.renew("other")
        leased.node.memory.nodes["other"] = 0.0
        await asyncio.sleep(SECONDS / 3)
    assert set(leased.node.memory.nodes) == {"n1", "other"}


@on_virtual_time
async def test_a_list_that_lost_this_node_is_noticed_and_a_drop_is_no_loss(
    caplog: pytest.LogCaptureFixture,
) -> None:
    leased = Leased()
    for _ in range(2):
        await leased.lease.renew()
    leased.node.memory.drop("n1")
    await leased.lease.renew()
    assert "lost" not in caplog.text
    leased.node.memory.nodes.clear()
    leased.node.memory.renewals.clear()
    await leased.lease.renew()
    assert "the list of nodes was lost" in caplog.text


@on_virtual_time
async def test_a_command_finds_out_in_one_lease_who_is_gone() -> None:
    leased = Leased()
    leased.node.memory.renew("dead")
    began = monotonic()
    await leased.lease.settle()
    assert leased.node.memory.nodes == {}
    assert monotonic() - began == pytest.approx(SECONDS, abs=0.1)


@on_virtual_time
async def test_a_store_that_does_not_answer_leaves_silent_nodes_on_the_list(
    caplog: pytest.LogCaptureFixture,
) -> None:
    leased = Leased()
    leased.node.memory.renew("dead")
    await leased.lease.look()
    await asyncio.sleep(2 * SECONDS)
    leased.node.cut()
    await leased.lease._drop_silent()
    assert "silent nodes stay" in caplog.text
    assert "dead" in leased.node.memory.nodes
