"""The reconciler: sockets of sessions that are not live are closed, of all others none."""

import asyncio
from typing import Any

import pytest

from server.core.errors import StoreUnavailable, WriteConflict
from server.core.reasons import Reason
from server.core.session import Session
from server.realtime.reconciler import BATCH_SIZE, MIN_PAUSE, Reconciler
from server.sessions.verdicts import LiveSession
from tests.support.engine.memory_node import TIMING, Client, MemoryNode, new_memory
from tests.support.engine.virtual_time import on_virtual_time, settle, virtual_loop

SWEEP = TIMING.sweep_interval.total_seconds()


class Reconciled:
    """A node that follows no stream: nothing but its reconciler can close its sockets."""

    def __init__(self) -> None:
        self.node, self.other = _two_nodes()
        self.reconciler: Reconciler = self.node.reconciler
        self.node.open_fence()

    async def arrive(self, user: str) -> tuple[LiveSession, Client]:
        """Sign in, and open a socket."""
        live = await self.node.sign_in(user)
        client = await self.node.connect(live)
        await settle()
        return live, client

    async def end(self, live: LiveSession) -> str:
        """End a session on another node; return the id of the end."""
        receipt = await self.other.engine.terminations.one(live.session, Reason.ADMIN)
        return receipt.end_id

    def reached(self) -> list[str]:
        """Return on which paths ends reached sockets here."""
        return [path for path, _ in self.node.recorded.of("reached")]


def _two_nodes() -> tuple[MemoryNode, MemoryNode]:
    memory = new_memory()
    return MemoryNode(memory), MemoryNode(memory, name="n2")


@pytest.mark.parametrize(("path", "compare"), [("gap", "after_loss"), ("lease", "after_hold")])
def test_all_ended_sessions_are_closed_with_their_reason_and_no_other(
    path: str, compare: str
) -> None:
    @on_virtual_time
    async def scenario() -> None:
        node = Reconciled()
        ann, ended = await node.arrive("ann")
        _, live = await node.arrive("ben")
        end_id = await node.end(ann)
        await asyncio.sleep(5)
        await getattr(node.reconciler, compare)()
        last = ended.peer.frames[-1]
        assert (last["reason"], last["event"]) == ("admin", end_id)
        assert (ended.peer.code, live.peer.code) == (4401, None)
        [(counted, seconds)] = node.node.recorded.of("reached")
        assert counted == path
        assert seconds == pytest.approx(5, abs=0.1)

    scenario()


@on_virtual_time
async def test_of_an_end_without_proof_only_the_given_sessions_are_compared() -> None:
    node = Reconciled()
    ann, first = await node.arrive("ann")
    ben, second = await node.arrive("ben")
    await node.end(ann)
    await node.end(ben)
    assert await node.reconciler.after_unproved_end([ann.session.sid]) == 1
    assert (first.peer.code, second.peer.code) == (4401, None)
    assert node.reached() == ["push"]


@on_virtual_time
async def test_a_session_that_expired_is_ended_and_closed() -> None:
    node = Reconciled()
    _, client = await node.arrive("ann")
    node.node.engine.close()  # no timer of the deadlines may be first
    await asyncio.sleep(node.node.engine.sessions.rules.idle_timeout.total_seconds())
    await node.reconciler.after_hold()
    assert client.peer.code == 4408


@on_virtual_time
async def test_a_store_that_does_not_answer_closes_nothing() -> None:
    node = Reconciled()
    ann, client = await node.arrive("ann")
    await node.end(ann)
    node.node.cut()
    with pytest.raises(StoreUnavailable):
        await node.reconciler.after_loss()
    assert client.peer.code is None


@on_virtual_time
async def test_a_session_that_others_keep_writing_stays_open() -> None:
    node = Reconciled()
    _, client = await node.arrive("ann")

    async def busy(sid: str) -> Session:
        raise WriteConflict(sid, 16)

    node.node.engine.sessions.current = busy  # type: ignore[method-assign]
    await node.reconciler.after_loss()
    assert client.peer.code is None


@on_virtual_time
async def test_any_number_of_sessions_is_compared_a_batch_at_a_time() -> None:
    node = Reconciled()
    arrived = [await node.arrive(f"user{number}") for number in range(BATCH_SIZE + 1)]
    for live, _ in arrived:
        await node.end(live)
    at_once, most = 0, 0
    current = node.node.engine.sessions.current

    async def counted(sid: str) -> Any:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        try:
            return await current(sid)
        finally:
            at_once -= 1

    node.node.engine.sessions.current = counted  # type: ignore[method-assign]
    await node.reconciler.after_loss()
    assert {client.peer.code for _, client in arrived} == {4401}
    assert most == BATCH_SIZE


@on_virtual_time
async def test_a_sweep_comes_after_the_interval_and_counts_what_it_closed() -> None:
    node = Reconciled()
    virtual_loop().create_task(node.reconciler.run())
    ann, client = await node.arrive("ann")
    await node.end(ann)
    await asyncio.sleep(SWEEP - 1)
    assert client.peer.code is None
    await asyncio.sleep(1)
    assert client.peer.code == 4401
    await asyncio.sleep(SWEEP)
    assert node.node.recorded.of("swept") == [(1,), (0,)]
    assert node.reached() == ["sweep"]


@on_virtual_time
async def test_a_sweep_that_was_asked_for_comes_soon_but_not_at_once() -> None:
    node = Reconciled()
    virtual_loop().create_task(node.reconciler.run())
    ann, client = await node.arrive("ann")
    await node.end(ann)
    for _ in range(9):
        node.reconciler.sweep_soon()
    await settle()
    assert client.peer.code is None
    await asyncio.sleep(MIN_PAUSE)
    assert client.peer.code == 4401
    await asyncio.sleep(3 * MIN_PAUSE)
    assert len(node.node.recorded.of("swept")) == 1


@on_virtual_time
async def test_a_sweep_that_failed_is_not_the_last() -> None:
    node = Reconciled()
    virtual_loop().create_task(node.reconciler.run())
    ann, client = await node.arrive("ann")
    await node.end(ann)
    node.node.cut()
    await asyncio.sleep(SWEEP + 2)
    assert node.node.recorded.of("swept") == []
    node.node.heal()
    await asyncio.sleep(SWEEP)
    assert client.peer.code == 4401
