"""The numbers of sockets in the store: the latest total of each session, and none is lost."""

import asyncio

import pytest

from server.core.errors import StoreUnavailable
from server.core.reasons import NoSession, Reason
from server.core.session import Device
from server.realtime.socket_counts import AT_ONCE, RETRY_AFTER, SETTLE
from server.sessions.verdicts import LiveSession
from tests.support.engine.memory_node import Client, MemoryNode
from tests.support.engine.virtual_time import on_virtual_time, virtual_loop


class Counting:
    """A node that runs nothing but the reporting of its counts."""

    def __init__(self) -> None:
        self.node = MemoryNode()
        self.node.open_fence()
        self.reporter = self.node.engine.socket_counts

    def run(self) -> None:
        """Report from here on."""
        virtual_loop().create_task(self.reporter.run())

    async def shown(self) -> list[int]:
        """Return the numbers of sockets on Ann's list, where this node counts as listed."""
        self.node.memory.renew("n1")
        return sorted(each.sockets for each in self.node.memory.list_user("ann"))

    def writes(self) -> int:
        """Return how often a count was written: each write is an event, like each sign-in."""
        return self.node.memory.control.added


@on_virtual_time
async def test_the_list_shows_the_sockets_of_each_session() -> None:
    counting = Counting()
    counting.run()
    one, two = await counting.node.sign_in(), await counting.node.sign_in()
    clients = [await counting.node.connect(live) for live in (one, one, two)]
    await asyncio.sleep(2 * SETTLE)
    assert await counting.shown() == [1, 2]
    clients[2].socket.transport_closed(1001)
    await asyncio.sleep(2 * SETTLE)
    assert await counting.shown() == [0, 2]
    counting.node.engine.hub.close_sessions([one.session.sid], NoSession(Reason.ADMIN))
    await asyncio.sleep(2 * SETTLE)
    assert await counting.shown() == [0, 0]


@on_virtual_time
async def test_a_page_reload_is_written_once() -> None:
    counting = Counting()
    counting.run()
    live = await counting.node.sign_in()
    client = await counting.node.connect(live)
    await asyncio.sleep(2 * SETTLE)
    before = counting.writes()
    client.socket.transport_closed(1001)
    await asyncio.sleep(SETTLE / 2)
    await counting.node.connect(live)
    await asyncio.sleep(2 * SETTLE)
    assert counting.writes() == before + 1
    assert await counting.shown() == [1]


@on_virtual_time
async def test_visitors_are_on_no_list() -> None:
    counting = Counting()
    made = await counting.node.engine.sessions.begin_anonymous(Device(), {"a": 1})
    assert isinstance(made, LiveSession)
    await counting.node.connect(made)
    await counting.reporter.flush()
    assert counting.node.memory.sockets == {}


@on_virtual_time
async def test_what_could_not_be_written_is_written_later_with_the_latest_number() -> None:
    counting = Counting()
    counting.run()
    live = await counting.node.sign_in()
    await counting.node.connect(live)
    counting.node.cut()
    await asyncio.sleep(1)
    await counting_more(counting, live)
    counting.node.heal()
    await asyncio.sleep(RETRY_AFTER + 1)
    assert await counting.shown() == [2]


@on_virtual_time
async def test_what_could_not_be_written_is_tried_again_although_nothing_changes() -> None:
    counting = Counting()
    counting.run()
    live = await counting.node.sign_in()
    counting.node.cut()
    await counting_more(counting, live)
    await asyncio.sleep(1)
    counting.node.heal()
    await asyncio.sleep(RETRY_AFTER + 1)
    assert await counting.shown() == [1]


async def counting_more(counting: Counting, live: LiveSession) -> Client:
    """Register one more socket, although the store does not answer."""
    client = counting.node.client()
    counting.node.engine.hub.register(client.socket, live.session)
    return client


@on_virtual_time
async def test_a_flush_that_fails_keeps_what_is_left() -> None:
    counting = Counting()
    for user in ("ann", "ben"):
        await counting.node.connect(await counting.node.sign_in(user))
    counting.node.cut()
    with pytest.raises(StoreUnavailable):
        await counting.reporter.flush()
    counting.node.heal()
    await counting.reporter.flush()
    assert {user for user, counts in counting.node.memory.sockets.items() if counts} == {
        "ann",
        "ben",
    }


@on_virtual_time
async def test_many_counts_on_many_nodes_are_written_at_the_pace_of_all_and_none_is_lost() -> None:
    counting = Counting()
    for number in range(100):
        counting.node.memory.renew(f"node{number}")
    await counting.node.lease.renew()
    lives = [await counting.node.sign_in(f"user{number}") for number in range(30)]
    for live in lives:
        await counting.node.connect(live)
    before = counting.writes()
    counting.run()
    await asyncio.sleep(4 * SETTLE)
    assert counting.writes() - before <= AT_ONCE + 3
    await asyncio.sleep(4)
    assert counting.writes() - before == len(lives)
