"""Deadline timers: warned in time, closed in time, and never by what another node knows better."""

import asyncio

import pytest

from server.core.session import deadlines, warning_time
from server.realtime.deadlines import RETRY_AFTER
from server.sessions.verdicts import LiveSession
from tests.support.engine.memory_node import RULES, Client, MemoryNode, new_memory, store_time
from tests.support.engine.virtual_time import on_virtual_time, settle

IDLE = RULES.idle_timeout.total_seconds()
WARNING = warning_time(RULES).total_seconds()


class Timed:
    """A node whose sockets only deadline timers can close, and another node on its store."""

    def __init__(self) -> None:
        memory = new_memory()
        self.node, self.other = MemoryNode(memory), MemoryNode(memory, name="n2")
        self.node.open_fence()
        self.timers = self.node.engine.socket_dependencies.deadlines

    async def arrive(self) -> tuple[LiveSession, Client]:
        """Sign in, and open a socket."""
        live = await self.node.sign_in()
        client = await self.node.connect(live)
        await settle()
        return live, client

    async def until_warning(self, live: LiveSession, seconds: float = 0.0) -> None:
        """Wait until a session is warned, and so many seconds more."""
        expires_at = deadlines(live.session, RULES).expires_at
        await asyncio.sleep(expires_at - WARNING - store_time() + seconds)


@on_virtual_time
async def test_a_session_is_warned_and_closed_at_its_deadline() -> None:
    timed = Timed()
    live, client = await timed.arrive()
    await timed.until_warning(live, -0.1)
    assert client.peer.types() == ["hello"]
    await timed.until_warning(live, 0.1)
    warning = client.peer.frames[-1]
    assert (warning["type"], warning["reason"]) == ("expiring", "idle_timeout")
    assert warning["in_ms"] == pytest.approx(WARNING * 1000, abs=100)
    await asyncio.sleep(WARNING - 0.2)
    assert client.peer.code is None
    await asyncio.sleep(0.2)
    assert client.peer.code == 4408
    assert client.peer.frames[-1]["reason"] == "idle_timeout"


@on_virtual_time
async def test_activity_on_another_node_moves_the_warning_without_a_message() -> None:
    timed = Timed()
    live, client = await timed.arrive()
    await asyncio.sleep(IDLE / 2)
    await timed.other.engine.sessions.touch(live.session.sid)
    await timed.until_warning(live, 1)
    assert client.peer.types() == ["hello"]
    await asyncio.sleep(IDLE / 2)
    assert client.peer.types() == ["hello", "expiring"]


@on_virtual_time
async def test_a_warned_socket_hears_that_the_deadline_moved() -> None:
    timed = Timed()
    live, client = await timed.arrive()
    await timed.until_warning(live, 1)
    await timed.other.engine.sessions.touch(live.session.sid)
    timed.timers.check_again(live.session.sid)
    await settle()
    assert client.peer.types() == ["hello", "expiring", "extended"]
    await asyncio.sleep(WARNING)
    assert client.peer.code is None
    await asyncio.sleep(IDLE - WARNING)
    assert client.peer.code == 4408


@on_virtual_time
async def test_a_socket_is_warned_of_one_deadline_once() -> None:
    timed = Timed()
    live, client = await timed.arrive()
    await timed.until_warning(live, 1)
    timed.timers.check_again(live.session.sid)
    await settle()
    assert client.peer.types() == ["hello", "expiring"]


@on_virtual_time
async def test_activity_just_before_the_deadline_keeps_the_socket_without_a_message() -> None:
    timed = Timed()
    live, client = await timed.arrive()
    await timed.until_warning(live, WARNING - 1)
    await timed.other.engine.sessions.touch(live.session.sid)
    await asyncio.sleep(2)
    assert client.peer.code is None
    assert client.peer.types() == ["hello", "expiring", "extended"]


@on_virtual_time
async def test_a_store_that_does_not_answer_closes_nothing_until_it_does() -> None:
    timed = Timed()
    live, client = await timed.arrive()
    timed.node.cut()
    await timed.until_warning(live, WARNING + 10)
    assert client.peer.code is None
    timed.node.heal()
    await asyncio.sleep(RETRY_AFTER + 0.6)  # a try that was under way takes half a second
    assert client.peer.code == 4408


@on_virtual_time
async def test_a_socket_that_opens_after_the_warning_hears_it_too() -> None:
    timed = Timed()
    live, client = await timed.arrive()
    await timed.until_warning(live, 1)
    second = await timed.node.connect(live)
    await settle()
    assert second.peer.types() == ["hello", "expiring"]
    assert second.peer.frames[-1]["in_ms"] == pytest.approx((WARNING - 1) * 1000, abs=100)
    assert client.peer.types() == ["hello", "expiring"]  # only once


@on_virtual_time
async def test_a_session_is_watched_until_its_last_socket_has_left() -> None:
    timed = Timed()
    live, first = await timed.arrive()
    second = await timed.node.connect(live)
    first.socket.transport_closed(1001)
    assert timed.timers._timers.keys() == {live.session.sid}
    second.socket.transport_closed(1001)
    assert timed.timers._timers == {}
    await timed.until_warning(live, WARNING + 1)
    assert timed.node.recorded.of("ended") == []


@on_virtual_time
async def test_a_socket_that_leaves_during_a_check_leaves_no_timer_behind() -> None:
    timed = Timed()
    live, client = await timed.arrive()
    timed.timers.check_again(live.session.sid)
    await asyncio.sleep(0)
    client.socket.transport_closed(1001)
    await settle()
    assert timed.timers._timers == {}


@on_virtual_time
async def test_a_node_that_stops_has_no_timer_left() -> None:
    timed = Timed()
    live, client = await timed.arrive()
    timed.node.engine.close()
    await timed.until_warning(live, 1)
    assert client.peer.types() == ["hello"]
