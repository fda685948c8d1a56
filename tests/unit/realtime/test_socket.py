"""One socket: how it opens, how it is held, and that nothing follows the word of its end."""

import asyncio
from dataclasses import replace

import pytest

from server.core.limits import RETRY_MS, Limits
from server.core.messages import CloseCode
from server.core.reasons import NoSession, Reason
from tests.support.engine.memory_node import (
    RULES,
    MemoryNode,
    connected,
    serving_node,
    store_time,
)
from tests.support.engine.virtual_time import on_virtual_time, settle

ENDED = NoSession(Reason.LOGOUT, "e1", 1e9)
PING = '{"type":"ping"}'


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
async def test_one_socket_too_many_is_asked_to_come_later() -> None:
    node = serving_node()
    live = await node.sign_in()
    clients = [node.client(limits=Limits(sockets_per_session=2)) for _ in range(3)]
    for client in clients:
        await client.socket.open(live.session)
    assert [client.peer.code for client in clients] == [None, None, 1013]
    assert clients[2].exceeded == ["too_many_sockets"]


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
async def test_a_stopping_node_says_when_to_come_back() -> None:
    client = await connected(serving_node())
    client.socket.drain(1234)
    assert client.peer.frames[-1] == {"type": "drain", "reconnect_in_ms": 1234}
    assert client.peer.code == 1012
