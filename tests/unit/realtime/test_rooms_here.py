"""What happens in the rooms of a node's sockets."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from server.core.room_entries import RoomEntry, RoomMessage
from server.core.rooms import digest_of
from server.realtime.rooms_here import sealed_for_room
from tests.support.engine.in_rooms import ROOM, InRooms, heard, store_of, told
from tests.support.engine.memory_node import SEALER, Client
from tests.support.engine.virtual_time import on_virtual_time


@on_virtual_time
async def test_a_message_of_another_room_does_not_open_and_is_dropped() -> None:
    here = InRooms()
    await here.start()
    await here.rooms.add(ROOM, user="ann")
    client = await here.arrive()
    inbox = here.memory.rooms.inboxes.setdefault("n1", [])
    number = here.memory.rooms.rooms[ROOM].number
    for step, name in enumerate(("another", ROOM), 1):
        box = sealed_for_room(SEALER, '"forged"', name)
        inbox.append(RoomEntry(digest_of(ROOM), number + step, RoomMessage(step, box)))
    here.memory.rooms.rooms[ROOM].number += 2
    await here.publish(1)
    assert heard(client) == ["forged", 1]


@on_virtual_time
async def test_a_room_that_is_deleted_is_left_by_all() -> None:
    here = InRooms()
    await here.start()
    await here.rooms.add(ROOM, user="ann")
    client, far = await here.arrive(), await here.arrive("ann", 1)
    await here.rooms.delete(ROOM)
    await here.publish(1)
    for each in (client, far):
        assert [frame["reason"] for frame in told(each, "left")] == ["deleted"]


@on_virtual_time
async def test_what_waits_of_a_room_is_not_sent_after_it_was_left() -> None:
    here = InRooms()
    await here.start()
    await here.rooms.add(ROOM, user="ann")
    client = await here.arrive()
    client.peer.stop_reading()
    for number in (1, 2, 3):
        await here.publish(number)
    await here.rooms.remove(ROOM, user="ann")
    await here.publish(4)
    client.peer.read_on()
    await here.publish(5)
    assert heard(client) == [1]
    assert len(told(client, "left")) == 1


async def let_in_late(here: InRooms, meanwhile: Callable[[], Awaitable[Any]]) -> Client:
    """Open a second socket of Ann's, which the store lets in at once but says so late.

    Args:
        here: where.
        meanwhile: what happens between the two.
    """
    await here.start()
    await here.rooms.add(ROOM, user="ann")
    await here.arrive()  # so that this node hears of what happens in the room
    live, store = await here.nodes[0].sign_in(), store_of(here)
    enter = store.enter

    async def late(*asked: Any, **options: Any) -> Any:
        answer = await enter(*asked, **options)
        await asyncio.sleep(2)
        return answer

    store.enter = late
    client = await here.open(live)
    store.enter = enter
    await meanwhile()
    await asyncio.sleep(3)
    return client


@on_virtual_time
async def test_what_was_published_while_the_answer_was_under_way_is_not_missed() -> None:
    here = InRooms()
    client = await let_in_late(here, lambda: here.publish("meanwhile"))
    await here.publish("later")
    assert heard(client) == ["meanwhile", "later"]


@on_virtual_time
async def test_who_was_removed_while_the_answer_was_under_way_does_not_get_in() -> None:
    here = InRooms()
    client = await let_in_late(here, lambda: here.rooms.remove(ROOM, user="ann"))
    await here.publish("later")
    assert (told(client, "joined"), heard(client)) == ([], [])
