"""The way into rooms, also while the store does not answer or answers late."""

import asyncio
from typing import Any

import pytest

from server.core.errors import StoreUnavailable
from server.core.rooms import RoomOptions
from tests.support.engine.in_rooms import ROOM, InRooms, codes, heard, store_of, told
from tests.support.engine.virtual_time import on_virtual_time, settle


@on_virtual_time
async def test_a_socket_that_opens_enters_the_rooms_it_was_added_to() -> None:
    here = InRooms()
    await here.start()
    await here.rooms.add(ROOM, user="ann")
    here.nodes[1].cut()
    asyncio.get_running_loop().call_later(0.7, here.nodes[1].heal)
    live = await here.nodes[0].sign_in()
    client = await here.open(live)
    await here.publish(1)
    assert heard(client) == [1]


@on_virtual_time
async def test_a_room_whose_shard_is_lost_keeps_nobody_out_of_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = InRooms()
    await here.start()
    store = store_of(here)
    enter, is_lost = store.enter, True

    async def enter_unless_lost(name: str, *given: Any) -> Any:
        if is_lost and name == "attic":
            raise StoreUnavailable("enter")
        return await enter(name, *given)

    monkeypatch.setattr(store, "enter", enter_unless_lost)
    for name in ("attic", ROOM):  # in the order in which they are entered
        await here.rooms.create(name)
        await here.rooms.add(name, user="ann")
    client = await here.arrive()
    await here.publish(1)
    assert heard(client) == [1]
    is_lost = False
    await asyncio.sleep(1)
    assert [each["room"] for each in told(client, "joined")] == [ROOM, "attic"]


@on_virtual_time
async def test_who_is_added_while_the_store_does_not_answer_gets_in_later() -> None:
    here = InRooms()
    await here.start()
    client, store = await here.arrive(), store_of(here)
    enter, failures = store.enter, 2

    async def enter_late(*asked: Any) -> Any:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise StoreUnavailable("enter")
        return await enter(*asked)

    store.enter = enter_late
    await here.rooms.add(ROOM, user="ann")
    await asyncio.sleep(2)
    await here.publish(1)
    assert (heard(client), failures) == ([1], -1)


@on_virtual_time
async def test_who_is_already_gone_when_the_store_answers_is_not_in() -> None:
    here = InRooms()
    await here.start(RoomOptions(presence=True))
    here.doors.known.add("ann")
    client, store = await here.arrive(), store_of(here)
    enter = store.enter

    async def enter_and_go(*asked: Any) -> Any:
        found = await enter(*asked)
        client.socket.transport_closed(1000)
        return found

    store.enter = enter_and_go
    await here.join(client)
    await asyncio.sleep(1)
    assert await here.rooms.presence(ROOM) == ()
    assert here.memory.rooms.rooms[ROOM].listeners == {}


@on_virtual_time
async def test_what_tries_again_by_itself_ends_with_the_node() -> None:
    here = InRooms()
    await here.start()
    client, store = await here.arrive(), store_of(here)

    async def enter(*_: Any) -> Any:
        raise StoreUnavailable("enter")

    store.enter = enter
    await here.rooms.add(ROOM, user="ann")
    await asyncio.sleep(1)
    entrance = here.nodes[0].engine.socket_dependencies.rooms.entrance
    assert entrance._tasks
    here.nodes[0].engine.close()
    await settle()
    assert not entrance._tasks
    assert told(client, "joined") == []


@on_virtual_time
async def test_a_room_that_does_not_exist_costs_one_request() -> None:
    here = InRooms()
    await here.start()
    here.doors.known.add("ann")
    client, store = await here.arrive(), store_of(here)
    counted = list[Any]()

    async def count(*asked: Any, **_: Any) -> bool:
        counted.append(asked)
        return True

    store.count = count
    await client.socket.receive('{"type":"join","room":"attic"}')
    await asyncio.sleep(1)
    assert (codes(client), counted) == ([("unknown_room", "attic")], [])
    assert here.nodes[0].engine.socket_dependencies.rooms._here.rooms() == []
