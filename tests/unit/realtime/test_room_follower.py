"""Following the inbox: resumed after failures; nodes that are gone are forgotten."""

import asyncio

from server.core.rooms import RoomOptions
from tests.support.engine.in_rooms import A_WHILE, ROOM, InRooms, heard, told
from tests.support.engine.virtual_time import on_virtual_time


@on_virtual_time
async def test_a_node_that_was_cut_off_goes_on_where_it_was() -> None:
    here = InRooms()
    await here.start()
    await here.rooms.add(ROOM, user="ann")
    far = await here.arrive("ann", 1)
    here.nodes[1].cut()
    for number in (1, 2):
        await here.publish(number)
    assert heard(far) == []
    here.nodes[1].heal()
    await asyncio.sleep(2)
    assert heard(far) == [1, 2]


@on_virtual_time
async def test_who_was_on_a_node_that_is_gone_has_left_two_leases_later() -> None:
    here = InRooms()
    await here.start(RoomOptions(presence=True))
    await here.rooms.add(ROOM, user="ann")
    await here.rooms.add(ROOM, user="bob")
    ann = await here.arrive("ann")
    await here.arrive("bob", 1)
    here.nodes[1].cut()
    await asyncio.sleep(6 + A_WHILE)
    assert [each["change"] for each in told(ann, "presence")] == ["come", "gone"]
    present = await here.rooms.presence(ROOM)
    assert isinstance(present, tuple)
    assert [each.who for each in present] == ["ann"]
