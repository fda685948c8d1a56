"""Ends as events report them: what they prove is closed at once, the rest as the store says."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from server.core.errors import StoreUnavailable
from server.core.events import EVERYTHING, Acknowledgement, Scope
from server.core.nodes import NodeWatch
from server.core.reasons import Reason
from server.realtime.ended_sessions import EndedSessions
from server.sessions.pending_receipts import PendingReceipts
from server.sessions.verdicts import LiveSession
from tests.support.engine.ends import end_of
from tests.support.engine.memory_node import LEASE, Client, MemoryNode
from tests.support.engine.virtual_time import on_virtual_time, settle


class Ending:
    """A node that follows no stream, and ends that a test hands to it.

    Attributes:
        ended_sessions: carries them out.
        receipts: takes acknowledgements of the node's own ends.
    """

    def __init__(self) -> None:
        self.node = MemoryNode()
        self.node.open_fence()
        self.receipts = PendingReceipts(self.node.store, NodeWatch(LEASE), self.node.context)
        self.ended_sessions = EndedSessions(
            self.node.engine.hub,
            self.node.reconciler,
            self.node.store,
            self.receipts,
            self.node.context,
        )

    async def arrive(self, user: str = "ann") -> tuple[LiveSession, Client]:
        """Sign in, and open a socket."""
        live = await self.node.sign_in(user)
        client = await self.node.connect(live)
        await settle()
        return live, client

    def replies(self, node: str) -> list[Any]:
        """Return the acknowledgements that were sent to a node."""
        return [entry for _, entry in self.node.memory.replies[node].entries]

    @property
    def together(self) -> list[Any]:
        """Acknowledgements that were sent to all nodes at once."""
        return [entry for _, entry in self.node.memory.together.entries]


@on_virtual_time
async def test_the_end_of_a_named_session_is_believed_without_asking_the_store() -> None:
    ending = Ending()
    live, client = await ending.arrive()
    _, other = await ending.arrive()
    end = end_of(live)
    ending.node.cut()
    await asyncio.sleep(2)
    await ending.ended_sessions.close([end])
    assert (client.peer.code, other.peer.code) == (4401, None)
    assert client.peer.frames[-1]["event"] == "e1"
    [(path, seconds)] = ending.node.recorded.of("reached")
    assert path == "push"
    assert seconds == pytest.approx(2)


@on_virtual_time
async def test_the_end_of_a_user_spares_the_session_to_keep_and_other_users() -> None:
    ending = Ending()
    (first, one), (kept, two) = await ending.arrive(), await ending.arrive()
    _, three = await ending.arrive("ben")
    await asyncio.sleep(1)
    end = end_of(first, scope=Scope.USER, keep=kept.session.sid)
    await ending.ended_sessions.close([end])
    assert [each.peer.code for each in (one, two, three)] == [4401, None, None]


@on_virtual_time
async def test_a_list_that_was_edited_in_the_store_does_not_close_the_session_to_keep() -> None:
    ending = Ending()
    kept, client = await ending.arrive()
    await asyncio.sleep(1)
    await ending.ended_sessions.close([end_of(kept, scope=Scope.USER, keep=kept.session.sid)])
    assert client.peer.code is None


@on_virtual_time
async def test_the_end_of_a_shard_closes_everybody() -> None:
    ending = Ending()
    clients = [(await ending.arrive(user))[1] for user in ("ann", "ben")]
    await asyncio.sleep(1)
    end = end_of(scope=Scope.SHARD, user=None, sids=(EVERYTHING,))
    await ending.ended_sessions.close([end])
    assert [each.peer.code for each in clients] == [4401, 4401]


@pytest.mark.parametrize(
    "unsigned", [{"sids": ()}, {"scope": Scope.LIMIT}], ids=["not named", "made room"]
)
def test_what_an_end_does_not_prove_is_as_the_store_says(unsigned: dict[str, Any]) -> None:
    @on_virtual_time
    async def scenario() -> None:
        ending = Ending()
        (live, one), (gone, two) = await ending.arrive(), await ending.arrive()
        await asyncio.sleep(1)
        await ending.node.engine.terminations.one(gone.session, Reason.LOGOUT)
        end = end_of(live, gone, scope=Scope.USER)
        await ending.ended_sessions.close([replace(end, **unsigned)])
        assert (one.peer.code, two.peer.code) == (None, 4401)
        assert two.peer.frames[-1]["reason"] == "logout"  # the store's word, not the event's

    scenario()


@on_virtual_time
async def test_a_session_that_is_younger_than_the_end_is_not_closed_by_it() -> None:
    ending = Ending()
    end = end_of(scope=Scope.SHARD, user=None, sids=(EVERYTHING,))
    _, client = await ending.arrive()
    await ending.ended_sessions.close([end])
    assert client.peer.code is None


@on_virtual_time
async def test_what_is_proved_is_closed_before_the_store_is_asked_about_the_rest() -> None:
    ending = Ending()
    (doubted, one), (proved, two) = await ending.arrive(), await ending.arrive("ben")
    await asyncio.sleep(1)
    ends = [end_of(doubted, scope=Scope.LIMIT), end_of(proved, end_id="e2", user="ben")]
    ending.node.cut()
    with pytest.raises(StoreUnavailable):
        await ending.ended_sessions.close(ends)
    assert (one.peer.code, two.peer.code) == (None, 4401)


@on_virtual_time
async def test_all_ends_of_one_node_share_one_acknowledgement() -> None:
    ending = Ending()
    lives = [(await ending.arrive())[0] for _ in range(2)]
    await ending.node.connect(lives[0])
    ends = [
        end_of(lives[0]),
        end_of(lives[1], end_id="e2"),
        end_of(end_id="e3", initiator="n3", sids=("unknown",)),
    ]
    await ending.ended_sessions.close(ends)
    await ending.ended_sessions.acknowledge(ends)
    assert ending.replies("n2") == [Acknowledgement("n1", {"e1": 2, "e2": 1})]
    assert ending.replies("n3") == [Acknowledgement("n1", {"e3": 0})]


@on_virtual_time
async def test_a_node_acknowledges_its_own_ends_to_itself() -> None:
    ending = Ending()
    live, _ = await ending.arrive()
    end = end_of(live, initiator="n1")
    with ending.receipts.expecting("e1") as pending:
        await ending.ended_sessions.close([end])
        await ending.ended_sessions.acknowledge([end])
        assert pending.sockets_closed == 1
    assert "n1" not in ending.node.memory.replies


@on_virtual_time
async def test_sockets_that_a_failed_try_closed_are_in_the_acknowledgement() -> None:
    ending = Ending()
    (proved, _), (doubted, _) = await ending.arrive(), await ending.arrive()
    await asyncio.sleep(1)
    await ending.node.engine.terminations.one(doubted.session, Reason.LOGOUT)
    end = end_of(proved, scope=Scope.USER)
    ending.node.cut()
    with pytest.raises(StoreUnavailable):
        await ending.ended_sessions.close([end])
    ending.node.heal()
    await ending.ended_sessions.close([end])
    await ending.ended_sessions.acknowledge([end])
    assert ending.replies("n2") == [Acknowledgement("n1", {"e1": 2})]


@on_virtual_time
async def test_an_acknowledgement_that_cannot_be_sent_is_lost_and_no_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ending = Ending()
    ending.node.cut()
    await ending.ended_sessions.acknowledge([end_of()])
    assert "an acknowledgement was lost" in caplog.text


@on_virtual_time
async def test_ends_of_many_nodes_share_one_acknowledgement_that_all_of_them_read() -> None:
    ending = Ending()
    live, _ = await ending.arrive()
    ends = [
        end_of(live, is_heard_together=True),
        end_of(end_id="e2", initiator="n3", is_heard_together=True),
        end_of(end_id="e3", initiator="n4"),  # of an earlier version
    ]
    await ending.ended_sessions.close(ends)
    await ending.ended_sessions.acknowledge(ends)
    assert ending.together == [Acknowledgement("n1", {"e1": 1, "e2": 0})]
    assert ending.replies("n4") == [Acknowledgement("n1", {"e3": 0})]
    assert ending.node.memory.replies.keys() == {"n4"}
