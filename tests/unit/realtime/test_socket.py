"""One socket: how it opens, what it answers, and that nothing follows the word of its end."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from server.core.limits import Limits
from server.core.messages import CloseCode
from server.core.rate import Rate
from server.core.reasons import NoSession, Reason
from server.core.session import Device, Rules, Session
from server.realtime.socket import RETRY_MS
from server.sessions.verdicts import LiveSession
from tests.support.engine.memory_node import RULES, Client, MemoryNode, store_time
from tests.support.engine.virtual_time import on_virtual_time, settle

ENDED = NoSession(Reason.LOGOUT, "e1", 1e9)
PING = '{"type":"ping"}'
MESSAGE = '{"type":"message","data":1}'


def serving_node(rules: Rules = RULES) -> MemoryNode:
    """Return a node that may serve, and follows no stream."""
    node = MemoryNode(rules=rules)
    node.open_fence()
    return node


async def connected(node: MemoryNode) -> Client:
    """Return a socket of a new session."""
    client = await node.connect(await node.sign_in())
    await settle()
    return client


@on_virtual_time
async def test_it_opens_with_what_a_client_must_know() -> None:
    node = serving_node()
    live = await node.sign_in()
    client = await node.connect(live)
    await settle()
    [hello] = client.peer.frames
    assert hello["connection"] == client.socket.id
    assert hello["session"] == {"id": live.session.sid, "user": "ann", "generation": 1}
    assert hello["now"] == pytest.approx(store_time(), abs=0.1)
    idle = RULES.idle_timeout.total_seconds()
    assert hello["idle_expires_at"] == pytest.approx(live.session.created_at + idle)
    assert hello["retry"] == {"min_ms": RETRY_MS[0], "max_ms": RETRY_MS[1]}


@on_virtual_time
async def test_without_a_session_it_says_why_and_closes() -> None:
    node = serving_node()
    client = await node.connect(ENDED)
    assert client.peer.types() == ["ended"]
    assert (client.peer.code, client.peer.reason) == (4401, "logout")
    assert node.engine.hub.socket_count == 0


@on_virtual_time
async def test_a_session_that_could_not_be_checked_is_not_called_ended() -> None:
    client = await serving_node().connect(None)
    assert client.peer.frames == []
    assert client.peer.code == 4503


@on_virtual_time
async def test_a_node_that_may_not_serve_opens_no_socket_and_calls_no_session_ended() -> None:
    node = MemoryNode()
    client = await node.connect(await node.sign_in())
    assert client.peer.frames == []
    assert client.peer.code == 4503


@on_virtual_time
async def test_a_session_that_owes_a_second_factor_is_sent_away() -> None:
    node = serving_node(replace(RULES, second_factor_required=True))
    client = await connected(node)
    assert (client.peer.code, client.peer.reason) == (4403, "second_factor_owed")
    assert client.peer.frames == []


@on_virtual_time
async def test_an_end_between_the_first_check_and_the_registration_is_found() -> None:
    node = serving_node()
    live = await node.sign_in()
    await node.engine.terminations.one(live.session, Reason.ADMIN)
    client = await node.connect(live)
    await settle()
    assert client.peer.types() == ["ended"]
    assert (client.peer.code, client.peer.reason) == (4401, "admin")


@on_virtual_time
async def test_an_end_during_the_second_check_is_heard_because_it_is_registered() -> None:
    node = serving_node()
    live = await node.sign_in()
    opening = asyncio.create_task(node.connect(live))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert node.engine.hub.close_sessions([live.session.sid], ENDED) == 1
    client = await opening
    await settle()
    assert client.peer.types() == ["ended"]


@on_virtual_time
async def test_a_second_check_that_fails_closes_without_a_verdict() -> None:
    node = serving_node()
    live = await node.sign_in()
    node.cut()
    client = await node.connect(live)
    assert client.peer.code == 4503
    assert node.engine.hub.socket_count == 0


@on_virtual_time
async def test_a_client_that_leaves_during_the_second_check_leaves_nothing_behind() -> None:
    node = serving_node()
    live, client = await node.sign_in(), node.client()
    opening = asyncio.create_task(client.socket.open(live.session))
    await asyncio.sleep(0)
    client.socket.transport_closed(1001)
    await opening
    assert client.peer.frames == []
    assert node.engine.hub.socket_count == 0
    assert node.engine.socket_dependencies.deadlines._timers == {}


@on_virtual_time
async def test_nothing_is_sent_before_the_second_check() -> None:
    node = serving_node()
    live = await node.sign_in()
    opening = asyncio.create_task(node.connect(live))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert live.session.sid in node.engine.hub
    node.engine.hub.send_to_user("ann", '{"type":"sessions"}')
    client = await opening
    await settle()
    assert client.peer.types() == ["hello"]


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


@on_virtual_time
async def test_one_socket_too_many_is_asked_to_come_later() -> None:
    node = serving_node()
    live = await node.sign_in()
    clients = [node.client(limits=Limits(sockets_per_session=2)) for _ in range(3)]
    for client in clients:
        await client.socket.open(live.session)
    assert [client.peer.code for client in clients] == [None, None, 1013]
    assert clients[2].exceeded == ["too_many_sockets"]


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
async def test_nothing_follows_the_word_of_the_end() -> None:
    node = serving_node()
    client = await connected(node)
    client.peer.stop_reading()
    client.socket.send('{"type":"one"}')
    client.socket.send('{"type":"two"}')
    await settle()
    client.socket.close_ended(ENDED)
    client.peer.read_on()
    client.socket.send('{"type":"three"}')
    await client.socket.receive(PING)
    for close in (client.socket.close_unverified, client.socket.hold, client.socket.resume):
        close()
    client.socket.drain(1)
    client.socket.close_too_fast("frames")
    await settle()
    assert client.peer.types() == ["hello", "one", "ended"]
    assert node.recorded.of("socket_closed") == [(4401, "logout")]


@on_virtual_time
async def test_while_held_it_receives_and_sends_nothing() -> None:
    node = MemoryNode()
    await node.start()
    client = await connected(node)
    node.cut()
    await asyncio.sleep(1.5)
    assert client.peer.types()[-1] == "hold"
    receiving = asyncio.create_task(client.socket.receive(PING))
    client.socket.send('{"type":"queued"}')
    await asyncio.sleep(0.5)
    assert client.peer.types()[-1] == "hold"
    assert not receiving.done()
    node.heal()
    await asyncio.sleep(2)
    assert receiving.done()
    after = [each for each in client.peer.types() if each != "sessions"]  # its count was written
    assert after == ["hello", "hold", "resume", "queued", "pong"]


@on_virtual_time
async def test_what_was_queued_while_held_follows_by_itself() -> None:
    node = MemoryNode()
    await node.start()
    client = await connected(node)
    node.cut()
    await asyncio.sleep(1.5)
    client.socket.send('{"type":"queued"}')
    node.heal()
    await node.engine.fence.opened()
    await settle()
    after = [each for each in client.peer.types() if each in {"hold", "resume", "queued"}]
    assert after[-2:] == ["resume", "queued"]


@on_virtual_time
async def test_a_peer_that_reads_too_slowly_is_closed() -> None:
    client = await connected(serving_node())
    client.peer.stop_reading()
    frame = '{"type":"large","data":"' + "x" * 60_000 + '"}'
    for _ in range(20):
        client.socket.send(frame)
    assert (client.peer.code, client.peer.reason) == (4508, "too_slow")


@on_virtual_time
async def test_a_stopping_node_says_when_to_come_back() -> None:
    client = await connected(serving_node())
    client.socket.drain(1234)
    assert client.peer.frames[-1] == {"type": "drain", "reconnect_in_ms": 1234}
    assert client.peer.code == 1012


@pytest.mark.parametrize("code", [1001, None])
def test_a_client_that_leaves_is_counted_once_and_reached_no_more(code: int | None) -> None:
    @on_virtual_time
    async def scenario() -> None:
        node = serving_node()
        client = await connected(node)
        for _ in range(2):
            client.socket.transport_closed(code)
        assert node.recorded.of("socket_left") == [(code,)]
        assert node.engine.hub.socket_count == 0

    scenario()


@on_virtual_time
async def test_a_socket_that_we_closed_is_not_counted_again_when_its_peer_answers() -> None:
    node = serving_node()
    client = await connected(node)
    client.socket.refuse(CloseCode.TOO_BIG, "too_big")
    client.socket.transport_closed(1009)
    assert node.recorded.of("socket_closed") == [(1009, "too_big")]
    assert node.recorded.of("socket_left") == []


@on_virtual_time
async def test_a_socket_that_is_turned_away_before_it_opens_is_counted() -> None:
    node = serving_node()
    client = node.client()
    client.socket.close_overloaded("overload")
    assert (client.peer.code, client.exceeded) == (1013, ["overload"])
    assert node.recorded.of("socket_closed") == [(1013, "overload")]


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
