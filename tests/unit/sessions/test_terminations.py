"""Terminations: the sessions are dead, and the receipt says no more than what is known."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from server.core.audit import AuditEvent
from server.core.errors import StoreUnavailable
from server.core.reasons import NoSession, Reason
from server.core.receipt import Durability, NodeCounts, State
from server.core.token import shard_of_sid
from server.sessions.terminations import Terminations
from server.store.contract import Ended
from tests.support.engine.memory_node import TIMING, MemoryNode, new_memory
from tests.support.engine.virtual_time import on_virtual_time, settle


class Cluster:
    """Two nodes that serve.

    Attributes:
        one: the node that ends sessions.
        two: the other node.
        terminations: of the first node.
    """

    def __init__(self, shards: int = 1) -> None:
        memory = new_memory(shards=shards)
        self.one, self.two = MemoryNode(memory), MemoryNode(memory, name="n2")
        self.terminations: Terminations = self.one.engine.terminations

    async def start(self) -> "Cluster":
        """Start both."""
        await self.one.start()
        await self.two.start()
        return self

    def ended(self) -> list[dict[str, Any]]:
        """Return the facts of the recorded ends, without their ids."""
        events = self.one.recorded.events
        return [facts for event, facts in events if event is AuditEvent.SESSION_ENDED]


@on_virtual_time
async def test_a_receipt_is_complete_when_every_node_has_closed_the_sockets() -> None:
    cluster = await Cluster().start()
    live = await cluster.one.sign_in()
    clients = [await node.connect(live) for node in (cluster.one, cluster.two, cluster.two)]
    receipt = await cluster.terminations.one(live.session, Reason.LOGOUT)
    assert receipt.state is State.COMPLETE
    assert (receipt.sessions, receipt.sockets_closed) == (1, 3)
    assert receipt.nodes == NodeCounts(acked=2)
    assert receipt.durability is Durability.FSYNC
    assert 0 < receipt.elapsed_ms < 500
    assert [client.peer.code for client in clients] == [4401, 4401, 4401]
    assert {client.peer.frames[-1]["event"] for client in clients} == {receipt.end_id}
    found = await cluster.two.engine.sessions.current(live.session.sid)
    assert found == NoSession(Reason.LOGOUT, receipt.end_id, clients[0].peer.frames[-1]["at"])


@on_virtual_time
async def test_a_session_that_had_ended_before_counts_as_none() -> None:
    cluster = await Cluster().start()
    live = await cluster.one.sign_in()
    await cluster.terminations.one(live.session, Reason.LOGOUT)
    again = await cluster.terminations.one(live.session, Reason.ADMIN)
    assert (again.sessions, again.state) == (0, State.COMPLETE)
    found = await cluster.one.engine.sessions.current(live.session.sid)
    assert isinstance(found, NoSession)
    assert found.reason is Reason.LOGOUT
    assert [facts["reason"] for facts in cluster.ended()] == ["logout"]


@on_virtual_time
async def test_all_of_a_user_end_but_the_one_to_keep_and_nobody_elses() -> None:
    cluster = await Cluster().start()
    gone, kept, other = [await cluster.one.sign_in(user) for user in ("ann", "ann", "ben")]
    receipt = await cluster.terminations.all_of("ann", Reason.TERMINATED, keep=kept.session.sid)
    assert receipt.sessions == 1
    found = [
        await cluster.one.engine.sessions.current(live.session.sid) for live in (gone, kept, other)
    ]
    assert [isinstance(each, NoSession) for each in found] == [True, False, False]
    [facts] = cluster.ended()
    assert (facts["user"], facts["sid"]) == ("ann", gone.session.sid)
    assert facts["end"] == receipt.end_id


@on_virtual_time
async def test_everything_ends_with_a_receipt_for_each_shard() -> None:
    cluster = await Cluster(shards=3).start()
    lives = [await cluster.one.sign_in(user) for user in ("ann", "ben", "cy", "dee")]
    receipts = await cluster.terminations.everything(Reason.ADMIN)
    assert len(receipts) == 3
    assert len({receipt.end_id for receipt in receipts}) == 3
    assert sum(receipt.sessions for receipt in receipts) == 4
    for live in lives:
        found = await cluster.two.engine.sessions.current(live.session.sid)
        assert isinstance(found, NoSession)
    assert sorted(facts["shard"] for facts in cluster.ended()) == [0, 1, 2]


@on_virtual_time
async def test_no_shard_waits_for_the_nodes_of_another() -> None:
    cluster = await Cluster(shards=3).start()
    lives = [await cluster.one.sign_in(user) for user in ("ann", "ben", "cy", "dee")]
    assert len({shard_of_sid(live.session.sid) for live in lives}) > 1
    cluster.two.cut()
    ending = asyncio.create_task(cluster.terminations.everything(Reason.ADMIN))
    await settle()
    assert not ending.done()
    for live in lives:
        assert isinstance(await cluster.one.engine.sessions.current(live.session.sid), NoSession)
    assert {receipt.state for receipt in await ending} == {State.BOUNDED}


@on_virtual_time
async def test_a_node_that_is_cut_off_leaves_a_receipt_bounded_by_its_lease() -> None:
    cluster = await Cluster().start()
    live = await cluster.one.sign_in()
    cluster.two.cut()
    receipt = await cluster.terminations.one(live.session, Reason.LOGOUT)
    assert receipt.state is State.BOUNDED
    assert receipt.nodes == NodeCounts(acked=1, lease_expired=1)
    assert not cluster.two.engine.fence.is_open
    assert receipt.elapsed_ms <= TIMING.node_lease.total_seconds() * 1000 + 100


@on_virtual_time
async def test_who_waits_no_longer_than_told_gets_a_pending_receipt() -> None:
    cluster = await Cluster().start()
    live = await cluster.one.sign_in()

    async def keep_listed() -> None:
        while True:
            cluster.one.memory.renew("silent")
            await asyncio.sleep(0.1)

    listing = asyncio.create_task(keep_listed())
    await asyncio.sleep(0.1)
    receipt = await cluster.terminations.one(live.session, Reason.LOGOUT)
    assert receipt.state is State.PENDING
    assert receipt.nodes == NodeCounts(acked=2, waiting=1)
    assert receipt.elapsed_ms == pytest.approx(
        TIMING.termination_wait.total_seconds() * 1000, abs=50
    )
    listing.cancel()


@pytest.mark.parametrize(
    ("replicated", "state", "durability"),
    [
        (False, State.PENDING, Durability.FSYNC),
        (True, State.COMPLETE, Durability.REPLICAS),
        (None, State.COMPLETE, Durability.FSYNC),
    ],
)
def test_replicas_that_lack_the_end_leave_it_pending(
    replicated: bool | None,  # noqa: FBT001 - a case
    state: State,
    durability: Durability,
) -> None:
    @on_virtual_time
    async def scenario() -> None:
        cluster = await Cluster().start()
        live = await cluster.one.sign_in()
        end = cluster.one.store.end_session

        async def end_replicated(*args: Any, **given: Any) -> Ended:
            return replace(await end(*args, **given), replicated=replicated)

        cluster.one.store.end_session = end_replicated  # type: ignore[method-assign]
        receipt = await cluster.terminations.one(live.session, Reason.LOGOUT)
        assert (receipt.state, receipt.durability) == (state, durability)

    scenario()


@on_virtual_time
async def test_a_store_that_does_not_answer_gives_no_receipt() -> None:
    cluster = await Cluster().start()
    live = await cluster.one.sign_in()
    cluster.one.cut()
    with pytest.raises(StoreUnavailable):
        await cluster.terminations.one(live.session, Reason.LOGOUT)
    assert cluster.one.recorded.of("terminated") == []
    assert cluster.ended() == []


@on_virtual_time
async def test_an_end_whose_reply_was_lost_is_counted_when_it_is_asked_for_again() -> None:
    cluster = await Cluster().start()
    live = await cluster.one.sign_in()
    cluster.one.link.loses_replies = True
    with pytest.raises(StoreUnavailable):
        await cluster.terminations.one(live.session, Reason.LOGOUT)
    cluster.one.heal()
    found = await cluster.two.engine.sessions.current(live.session.sid)
    assert isinstance(found, NoSession)  # it was ended all the same
    receipt = await cluster.terminations.one(live.session, Reason.LOGOUT)
    assert (receipt.state, receipt.sessions) == (State.COMPLETE, 0)


@on_virtual_time
async def test_every_receipt_is_counted_with_its_reason() -> None:
    cluster = await Cluster().start()
    live = await cluster.one.sign_in()
    receipts = [
        await cluster.terminations.one(live.session, Reason.LOGOUT),
        await cluster.terminations.all_of("ann", Reason.ADMIN),
    ]
    reasons = [Reason.LOGOUT, Reason.ADMIN]
    assert cluster.one.recorded.of("terminated") == list(zip(reasons, receipts, strict=True))


@on_virtual_time
async def test_a_session_whose_record_nobody_can_open_ends_like_any_other() -> None:
    cluster = await Cluster().start()
    live = await cluster.one.sign_in()
    client = await cluster.two.connect(live)
    receipt = await cluster.terminations.unopened(live.session.sid, Reason.ADMIN)
    assert (receipt.sessions, receipt.sockets_closed) == (1, 1)
    assert client.peer.code == 4401
    assert not await cluster.one.engine.sessions.is_unreadable(live.session.sid)
