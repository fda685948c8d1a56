"""A slot that has moved since the map was read: what is asked of its old master is asked again."""

from collections.abc import AsyncIterator

import pytest

from server.core.rooms import Member, RoomOptions
from server.store.clients import open_clients
from server.store.names import shard_of_user
from server.store.room_store import RedisRoomStore
from server.store.scripts import Scripts
from tests.support.servers.cluster import ValkeyCluster

SHARDS = ValkeyCluster.shards


@pytest.fixture
async def rooms(cluster: ValkeyCluster) -> AsyncIterator[RedisRoomStore]:
    """A node's way to rooms. While the test does not wait, nobody reads the map anew."""
    cluster.flush()
    async with open_clients(cluster.url, SHARDS, None, plaintext_allowed=False) as opened:
        await opened.look(SHARDS, serves=True)
        yield RedisRoomStore(opened.client, Scripts(opened.client), [], SHARDS)


async def test_a_question_to_several_masters_is_asked_again_when_one_of_them_lost_the_slot(
    rooms: RedisRoomStore, cluster: ValkeyCluster
) -> None:
    people = [Member(f"person-{number}", "00a") for number in range(100)]
    shard = shard_of_user(people[0].user or "", SHARDS)
    assert {shard_of_user(each.user or "", SHARDS) for each in people} == set(range(SHARDS))
    await rooms.create("den", "e1", RoomOptions())
    for each in people:
        assert await rooms.add("den", each.user or "", "", 0, 0) is None
    before = cluster.master_of(shard)
    target = next(each for each in cluster.servers[:3] if each is not before)
    cluster.move_shard(shard, target)
    assert await rooms.rooms_of(people) == [["den"]] * len(people)
