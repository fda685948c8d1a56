"""The sockets of one shard's sessions: others on the node are left alone."""

from server.core.reasons import NoSession, Reason
from server.core.token import shard_of_sid
from server.realtime.shard_sockets import ShardSockets
from tests.support.engine.memory_node import Client, MemoryNode, new_memory
from tests.support.engine.virtual_time import on_virtual_time, settle


async def two_shards() -> tuple[MemoryNode, dict[int, Client], dict[int, str]]:
    """A node with one socket for each of two shards, with their sessions."""
    node = MemoryNode(new_memory(shards=2))
    node.open_fence()
    clients: dict[int, Client] = {}
    sids: dict[int, str] = {}
    number = 0
    while len(clients) < 2:
        live = await node.sign_in(f"user-{(number := number + 1)}")
        if (shard := shard_of_sid(live.session.sid)) not in clients:
            clients[shard], sids[shard] = await node.connect(live), live.session.sid
    await settle()
    return node, clients, sids


@on_virtual_time
async def test_one_shard_is_held_resumed_and_closed_alone() -> None:
    node, clients, sids = await two_shards()
    sockets = ShardSockets(node.engine.hub, 1)
    assert [each.sid for each in sockets.sessions()] == [sids[1]]
    sockets.hold()
    assert clients[1].peer.types()[-1] == "hold"
    assert "hold" not in clients[0].peer.types()
    sockets.resume()
    assert clients[1].peer.types()[-1] == "resume"
    sockets.close_unverified()
    assert clients[1].peer.code is not None
    assert clients[0].peer.code is None


@on_virtual_time
async def test_sessions_that_ended_are_closed_with_their_reason() -> None:
    node, clients, sids = await two_shards()
    closed = ShardSockets(node.engine.hub, 0).close_sessions([sids[0]], NoSession(Reason.LOGOUT))
    await settle()
    assert closed == 1
    assert clients[0].peer.types()[-1] == "ended"
    assert clients[1].peer.code is None
