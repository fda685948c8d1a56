"""Batches of the streams: which event reaches whose sockets, and in which order."""

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest

from server.core.errors import StoreUnavailable
from server.core.events import (
    Acknowledgement,
    EntryRejection,
    Event,
    MessageSent,
    Scope,
    SessionExtended,
    SessionsChanged,
    TokenRotated,
)
from server.core.nodes import NodeWatch
from server.core.reasons import Reason
from server.core.session import Session, deadlines, warning_time
from server.engine import _dispatch, _ShardProofs
from server.realtime.dispatch import SEND_AT_ONCE
from server.realtime.messenger import PURPOSE
from server.sessions.pending_receipts import PendingReceipts
from server.sessions.verdicts import LiveSession
from server.store.stream_contract import Batch
from tests.support.engine.ends import end_of
from tests.support.engine.memory_node import LEASE, RULES, SEALER, Client, MemoryNode
from tests.support.engine.virtual_time import on_virtual_time, settle


class Dispatched:
    """A node that follows no stream, and the dispatch of batches that a test hands to it."""

    def __init__(self) -> None:
        self.node = MemoryNode()
        self.node.open_fence()
        self.receipts = PendingReceipts(self.node.store, NodeWatch(LEASE), self.node.context)
        sockets = self.node.engine.socket_dependencies
        part = cast(
            "_ShardProofs",
            SimpleNamespace(control=self.node.given.control, reconciler=self.node.reconciler),
        )
        self.dispatch = _dispatch(part, SEALER, sockets, self.receipts)

    async def arrive(self, user: str = "ann") -> tuple[LiveSession, Client]:
        """Sign in, and open a socket."""
        live = await self.node.sign_in(user)
        client = await self.node.connect(live)
        await settle()
        return live, client

    async def apply(self, *events: Event) -> None:
        """Apply a batch of events."""
        await self.dispatch.apply(Batch(events, (), {}, is_last=True))
        await settle()


@on_virtual_time
async def test_a_rotation_reaches_the_sockets_of_its_session_only() -> None:
    node = Dispatched()
    (live, client), (_, other) = await node.arrive(), await node.arrive()
    await node.apply(TokenRotated(live.session.sid, 7))
    assert client.peer.frames[-1] == {"type": "rotated", "generation": 7}
    assert other.peer.types() == ["hello"]


@on_virtual_time
async def test_a_changed_list_reaches_all_sockets_of_its_user_only() -> None:
    node = Dispatched()
    (_, one), (_, two), (_, other) = [await node.arrive(user) for user in ("ann", "ann", "ben")]
    await node.apply(SessionsChanged("ann"))
    assert [each.peer.types()[-1] for each in (one, two, other)] == [
        "sessions",
        "sessions",
        "hello",
    ]


@on_virtual_time
async def test_a_moved_deadline_reaches_sockets_that_were_warned() -> None:
    node = Dispatched()
    live, client = await node.arrive()
    until_warning = RULES.idle_timeout - warning_time(RULES)
    await asyncio.sleep(until_warning.total_seconds())
    await settle()
    assert client.peer.types()[-1] == "expiring"
    touched = await node.node.engine.sessions.touch(live.session.sid)
    assert isinstance(touched, Session)
    await node.apply(SessionExtended(live.session.sid))
    last = client.peer.frames[-1]
    assert last["type"] == "extended"
    assert last["idle_expires_at"] == deadlines(touched, RULES).idle_expires_at


@on_virtual_time
async def test_a_message_reaches_the_users_other_sockets() -> None:
    node = Dispatched()
    (_, sender), (_, receiver) = await node.arrive(), await node.arrive()
    box = SEALER.seal(b'{"a":1}', purpose=PURPOSE, context="ann")
    await node.apply(MessageSent("ann", sender.socket.id, box))
    assert receiver.peer.frames[-1]["data"] == {"a": 1}
    assert sender.peer.types() == ["hello"]


@on_virtual_time
async def test_an_end_closes_its_sockets_and_the_user_is_told_that_the_list_changed() -> None:
    node = Dispatched()
    (live, ended), (_, other) = await node.arrive(), await node.arrive()
    await node.apply(end_of(live))
    assert (ended.peer.code, other.peer.code) == (4401, None)
    assert other.peer.types()[-1] == "sessions"
    assert node.node.memory.replies["n2"].added == 1


@on_virtual_time
async def test_messages_come_behind_everything_else_of_their_batch() -> None:
    node = Dispatched()
    (live, ended), (_, receiver) = await node.arrive(), await node.arrive()
    box = SEALER.seal(b'{"a":1}', purpose=PURPOSE, context="ann")
    await node.apply(MessageSent("ann", "elsewhere", box), SessionsChanged("ann"), end_of(live))
    assert receiver.peer.types() == ["hello", "sessions", "sessions", "message"]
    assert ended.peer.types() == ["hello", "ended"], "nothing is delivered to it any more"


@on_virtual_time
async def test_others_have_their_turn_while_many_messages_are_delivered() -> None:
    node = Dispatched()
    _, receiver = await node.arrive()
    box = SEALER.seal(b'{"a":1}', purpose=PURPOSE, context="ann")
    flood = [MessageSent("ann", "elsewhere", box)] * (3 * SEND_AT_ONCE)
    seen = list[int]()

    async def look() -> None:
        while len(seen) < 3:
            seen.append(receiver.peer.types().count("message"))
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    await node.apply(*flood)
    await looking
    assert receiver.peer.types().count("message") == 3 * SEND_AT_ONCE
    assert all(each <= (place + 1) * SEND_AT_ONCE for place, each in enumerate(seen))


@on_virtual_time
async def test_an_end_comes_before_everything_else_of_its_batch() -> None:
    node = Dispatched()
    live, client = await node.arrive()
    await node.apply(TokenRotated(live.session.sid, 2), end_of(live))
    assert client.peer.types() == ["hello", "ended"]


@on_virtual_time
async def test_a_batch_that_could_not_be_applied_is_neither_acknowledged_nor_pushed() -> None:
    node = Dispatched()
    live, client = await node.arrive()
    await node.node.engine.terminations.one(live.session, Reason.LOGOUT)
    batch: list[Event] = [end_of(live, scope=Scope.LIMIT), SessionsChanged("ann")]
    node.node.cut()
    with pytest.raises(StoreUnavailable):
        await node.apply(*batch)
    assert client.peer.types() == ["hello"]
    assert "n2" not in node.node.memory.replies
    node.node.heal()
    await node.apply(*batch)
    assert client.peer.code == 4401
    assert node.node.memory.replies["n2"].added == 1


@on_virtual_time
async def test_acknowledgements_reach_the_receipts_that_wait_for_them() -> None:
    node = Dispatched()
    with node.receipts.expecting("e9") as pending:
        words = [Acknowledgement("n2", {"e9": 3}), Acknowledgement("n3", {"e8": 5})]
        await node.dispatch.apply(Batch((), words, {}, is_last=True))
        assert pending.sockets_closed == 3


@on_virtual_time
async def test_rejected_entries_are_recorded_and_bring_a_sweep() -> None:
    node = Dispatched()
    refused = [EntryRejection.FORGED]
    await node.dispatch.apply(Batch((), (), {}, is_last=True, refused=refused))
    assert [facts["forged"] for _, facts in node.node.recorded.events] == [1]
    assert node.node.reconciler._sweep_asked.is_set()


@on_virtual_time
async def test_who_observes_is_told_of_each_end_and_only_of_ends_when_the_sockets_are_closed() -> (
    None
):
    node = Dispatched()
    (one, first), (another, second) = await node.arrive(), await node.arrive()
    told: list[tuple[str, int | None, int | None]] = []
    node.dispatch.observe_ends(
        lambda end: told.append((end.end_id, first.peer.code, second.peer.code))
    )
    await node.apply(SessionsChanged("ann"))
    assert told == []
    await node.apply(end_of(one), end_of(another, end_id="e2"))
    assert told == [("e1", 4401, 4401), ("e2", 4401, 4401)]
