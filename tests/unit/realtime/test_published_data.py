"""Data for users, sessions and sockets: sealed for them, and dropped if they are not genuine."""

from server.core.events import DataPublished
from server.realtime.published_data import PublishedData, sealed_for
from tests.support.engine.in_rooms import heard
from tests.support.engine.memory_node import SEALER, connected, serving_node
from tests.support.engine.virtual_time import on_virtual_time, settle


@on_virtual_time
async def test_data_open_only_for_whom_they_were_sealed() -> None:
    node = serving_node()
    client = await connected(node)
    rooms = node.engine.socket_dependencies.rooms
    data = PublishedData(node.engine.hub, SEALER, rooms.entrance, rooms.acknowledging)
    for sealed_user in ("ben", "ann"):
        box = sealed_for(SEALER, "1", sealed_user, "", "")
        data.deliver(DataPublished("ann", "", "", "", "", box))
    await settle()
    assert heard(client) == [1]
