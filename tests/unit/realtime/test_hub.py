"""The hub: who is reached by what is sent, closed or held, and who is notified of changes."""

import asyncio
from datetime import timedelta

from server.core.reasons import NoSession, Reason
from server.core.room_frames import SharedFrame
from server.realtime.hub import CLOSE_AT_ONCE, SessionSockets
from tests.support.engine.memory_node import Client, MemoryNode
from tests.support.engine.virtual_time import on_virtual_time, settle

ENDED = NoSession(Reason.ADMIN, "e1", 1e9)
FRAME = '{"type":"test"}'


class Family:
    """Two sessions of Ann's, the first with two sockets, and one of Ben's."""

    def __init__(self, node: MemoryNode) -> None:
        self.node = node
        self.hub = node.engine.hub

    async def arrive(self) -> "Family":
        """Sign in, and open all sockets."""
        self.node.open_fence()
        self.first, self.second = await self.node.sign_in(), await self.node.sign_in()
        self.other = await self.node.sign_in("ben")
        self.clients = [
            await self.node.connect(live)
            for live in (self.first, self.first, self.second, self.other)
        ]
        await settle()
        return self

    def reached(self) -> list[bool]:
        """Return which clients received the test frame."""
        return ["test" in client.peer.types() for client in self.clients]


@on_virtual_time
async def test_a_frame_to_a_session_reaches_its_sockets_only() -> None:
    family = await Family(MemoryNode()).arrive()
    family.hub.send_to_session(family.first.session.sid, FRAME)
    await settle()
    assert family.reached() == [True, True, False, False]


@on_virtual_time
async def test_a_frame_to_a_user_reaches_all_sockets_but_the_sender() -> None:
    family = await Family(MemoryNode()).arrive()
    family.hub.send_to_user("ann", FRAME, but=family.clients[0].socket.id)
    await settle()
    assert family.reached() == [False, True, True, False]


@on_virtual_time
async def test_a_shared_frame_reaches_the_same_sockets_and_says_how_many() -> None:
    family = await Family(MemoryNode()).arrive()
    sender = family.clients[0].socket.id
    assert family.hub.share_with_user("ann", SharedFrame(FRAME), but=sender) == 2
    await settle()
    assert family.reached() == [False, True, True, False]
    assert family.hub.share_with_user("nobody", SharedFrame(FRAME)) == 0


@on_virtual_time
async def test_ended_sessions_are_closed_with_the_reason_and_counted() -> None:
    family = await Family(MemoryNode()).arrive()
    sids = [family.first.session.sid, family.other.session.sid, "unknown"]
    assert family.hub.close_sessions(sids, ENDED) == 3
    assert [client.peer.code for client in family.clients] == [4401, 4401, None, 4401]
    last = family.clients[0].peer.frames[-1]
    assert (last["type"], last["reason"], last["event"]) == ("ended", "admin", "e1")
    assert family.hub.close_sessions(sids, ENDED) == 0


@on_virtual_time
async def test_many_are_closed_in_slices_and_what_is_left_stays_registered() -> None:
    node = MemoryNode()
    node.open_fence()
    lives = [await node.sign_in(f"user-{number}") for number in range(2 * CLOSE_AT_ONCE)]
    clients = [await node.connect(live) for live in lives]
    hub, sids = node.engine.hub, [live.session.sid for live in lives]
    closing = asyncio.ensure_future(hub.close_many(sids, ENDED))
    await asyncio.sleep(0)
    assert hub.socket_count == CLOSE_AT_ONCE
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    assert hub.socket_count == CLOSE_AT_ONCE
    assert await hub.close_many(sids, ENDED) == CLOSE_AT_ONCE
    assert {client.peer.code for client in clients} == {4401}


@on_virtual_time
async def test_the_hub_counts_by_session_by_user_and_in_all() -> None:
    family = await Family(MemoryNode()).arrive()
    hub, sid = family.hub, family.first.session.sid
    assert (hub.session_count, hub.socket_count) == (3, 4)
    assert (hub.sockets_of_session(sid), hub.sockets_of_user("ann")) == (2, 3)
    assert (hub.sockets_of_session("unknown"), hub.sockets_of_user("unknown")) == (0, 0)
    assert [found.sid for found in hub.find(["unknown", sid])] == [sid]
    hub.close_sessions([sid], ENDED)
    assert (hub.session_count, hub.socket_count) == (2, 2)
    assert (hub.sockets_of_session(sid), hub.sockets_of_user("ann")) == (0, 1)
    assert sid not in hub


@on_virtual_time
async def test_a_socket_that_left_is_reached_no_more_and_its_session_with_the_last_one() -> None:
    family = await Family(MemoryNode()).arrive()
    for client in family.clients[:2]:
        assert family.first.session.sid in family.hub
        client.socket.transport_closed(1001)
    assert family.first.session.sid not in family.hub
    assert [each.sid for each in family.hub.sessions_of("ann")] == [family.second.session.sid]
    family.clients[2].socket.transport_closed(1001)
    assert family.hub.sessions_of("ann") == []
    assert family.hub._users.keys() == {"ben"}


@on_virtual_time
async def test_observers_are_called_after_each_change_in_the_order_they_subscribed() -> None:
    node = MemoryNode()
    heard: list[tuple[str, str, int]] = []

    def observer(name: str, sockets: SessionSockets) -> None:
        heard.append((name, sockets.sid, len(sockets.connections)))

    node.engine.hub.subscribe(lambda sockets: observer("one", sockets))
    node.engine.hub.subscribe(lambda sockets: observer("two", sockets))
    family = await Family(node).arrive()
    sid = family.first.session.sid
    assert heard[:4] == [("one", sid, 1), ("two", sid, 1), ("one", sid, 2), ("two", sid, 2)]
    heard.clear()
    family.clients[0].socket.transport_closed(None)
    family.hub.close_sessions([sid], ENDED)
    family.clients[1].socket.transport_closed(None)  # its session ended before
    family.hub.unregister(family.clients[0].socket, family.second.session.sid)  # not one of its
    assert heard == [("one", sid, 1), ("two", sid, 1), ("one", sid, 0), ("two", sid, 0)]


@on_virtual_time
async def test_sessions_may_end_while_one_goes_through_them() -> None:
    family = await Family(MemoryNode()).arrive()
    seen = []
    for sockets in family.hub.sessions():
        family.hub.close_sessions([each.sid for each in family.hub.sessions()], ENDED)
        seen.append(sockets.sid)
    assert len(seen) == 3


@on_virtual_time
async def test_all_sockets_are_held_and_go_on() -> None:
    family = await Family(MemoryNode()).arrive()
    family.hub.hold()
    family.hub.resume()
    assert [client.peer.types()[-2:] for client in family.clients] == [["hold", "resume"]] * 4


@on_virtual_time
async def test_all_sockets_close_without_a_verdict() -> None:
    family = await Family(MemoryNode()).arrive()
    family.hub.close_unverified()
    assert [client.peer.code for client in family.clients] == [4503] * 4
    assert family.hub.socket_count == 0


@on_virtual_time
async def test_every_client_of_a_stopping_node_gets_a_time_of_its_own() -> None:
    family = await Family(MemoryNode()).arrive()
    parts = iter([0.0, 0.25, 0.5, 0.75])
    family.hub.drain(timedelta(seconds=4), lambda: next(parts))
    assert [_drain(client) for client in family.clients] == [0, 1000, 2000, 3000]
    assert [client.peer.code for client in family.clients] == [1012] * 4


def _drain(client: Client) -> int:
    frame = client.peer.frames[-1]
    assert frame["type"] == "drain"
    return int(frame["reconnect_in_ms"])
