"""What a socket does with the frames of its client."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from server.core.limits import Limits
from server.core.rate import Rate
from server.core.reasons import Reason
from server.core.session import Device, Rules, Session
from server.sessions.verdicts import LiveSession
from tests.support.engine.memory_node import RULES, connected, serving_node, store_time
from tests.support.engine.virtual_time import on_virtual_time, settle

PING = '{"type":"ping"}'
MESSAGE = '{"type":"message","data":1}'


@on_virtual_time
async def test_a_ping_is_answered_and_moves_no_deadline() -> None:
    node = serving_node()
    client = await connected(node)
    await asyncio.sleep(60)
    await client.socket.receive(PING)
    await settle()
    assert client.peer.types() == ["hello", "pong"]
    [(session, _, _)] = node.memory.records.values()
    assert session.last_active_at == session.created_at


@on_virtual_time
async def test_activity_moves_the_deadline() -> None:
    node = serving_node()
    client = await connected(node)
    await asyncio.sleep(60)
    await client.socket.receive('{"type":"activity"}')
    [(session, _, _)] = node.memory.records.values()
    assert session.last_active_at == pytest.approx(store_time(), abs=0.1)


@on_virtual_time
async def test_activity_on_a_session_that_ended_unheard_closes_all_its_sockets() -> None:
    node = serving_node()
    live = await node.sign_in()
    clients = [await node.connect(live), await node.connect(live)]
    await node.engine.terminations.one(live.session, Reason.ADMIN)
    await clients[0].socket.receive('{"type":"activity"}')
    assert [client.peer.code for client in clients] == [4401, 4401]


@on_virtual_time
async def test_activity_that_cannot_be_recorded_closes_nothing() -> None:
    node = serving_node()
    client = await connected(node)
    await asyncio.sleep(60)
    node.cut()
    await client.socket.receive('{"type":"activity"}')
    assert client.peer.code is None


@on_virtual_time
async def test_a_frame_outside_the_protocol_is_answered_and_the_socket_stays_open() -> None:
    client = await connected(serving_node())
    await client.socket.receive("no JSON")
    await settle()
    assert client.peer.frames[-1]["code"] == "bad_json"
    assert client.peer.code is None


@on_virtual_time
async def test_a_message_goes_to_the_store_and_a_failure_is_answered() -> None:
    node = serving_node()
    client = await connected(node)
    await client.socket.receive(MESSAGE)
    assert node.memory.messages.added == 1
    node.cut()
    await client.socket.receive(MESSAGE)
    await settle()
    assert client.peer.frames[-1]["code"] == "unavailable"
    assert client.peer.code is None


@on_virtual_time
async def test_more_messages_than_allowed_close_the_socket() -> None:
    node = serving_node()
    client = node.client(limits=Limits(messages=Rate(per_second=1, burst=2)))
    await client.socket.open((await node.sign_in()).session)
    for _ in range(2):
        await client.socket.receive(MESSAGE)
    await asyncio.sleep(1)
    await client.socket.receive(MESSAGE)  # one more after a second
    assert client.peer.types() == ["hello"]
    await client.socket.receive(MESSAGE)
    assert (client.peer.code, client.peer.reason) == (1008, "rate")
    assert client.peer.frames[-1]["code"] == "rate"
    assert client.exceeded == ["messages"]
    assert node.memory.messages.added == 3


class Guarded:
    """A socket whose messages need a recently proved password."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.node = serving_node(rules)
        self.client = self.node.client(recent_only=True)

    async def arrive(self) -> None:
        """Sign in, and open it."""
        self.live = await self.node.sign_in()
        await self.client.socket.open(self.live.session)

    async def answers(self) -> list[str]:
        """Send a message; return the codes of the errors that came back until now."""
        await self.client.socket.receive(MESSAGE)
        await settle()
        return [f["code"] for f in self.client.peer.frames if f["type"] == "error"]


@on_virtual_time
async def test_a_guarded_message_needs_a_recently_proved_password() -> None:
    guarded = Guarded()
    await guarded.arrive()
    window = RULES.reauthentication_window.total_seconds()
    assert await guarded.answers() == []
    await asyncio.sleep(window)
    assert await guarded.answers() == ["reauthentication-required"]
    assert guarded.node.memory.messages.added == 1
    await guarded.node.engine.sessions.elevate(guarded.live)  # on another page
    assert await guarded.answers() == ["reauthentication-required"]
    assert guarded.node.memory.messages.added == 2
    guarded.node.engine.sessions.current = unasked  # type: ignore[method-assign]
    await guarded.answers()  # known by now
    assert guarded.node.memory.messages.added == 3


async def unasked(sid: str) -> Session:
    """Stand where no session may be read."""
    raise AssertionError(sid)


@on_virtual_time
async def test_a_guarded_message_of_a_session_that_ended_unheard_closes_it() -> None:
    guarded = Guarded(replace(RULES, reauthentication_window=timedelta(seconds=1)))
    await guarded.arrive()
    await asyncio.sleep(1)
    await guarded.node.engine.terminations.one(guarded.live.session, Reason.ADMIN)
    await guarded.answers()
    assert guarded.client.peer.code == 4401
    assert guarded.node.memory.messages.added == 0


@on_virtual_time
async def test_a_visitors_message_has_no_other_sockets_to_go_to() -> None:
    node = serving_node()
    visitor = await node.engine.sessions.begin_anonymous(Device(), {"a": 1})
    assert isinstance(visitor, LiveSession)
    client = await node.connect(visitor)
    await client.socket.receive(MESSAGE)
    await settle()
    assert client.peer.types() == ["hello"]
    assert node.memory.messages.added == 0
