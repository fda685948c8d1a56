"""The store's numbers of the sockets in a room stay true, whatever is late, lost or overtaken."""

import asyncio
from collections import Counter
from typing import Any

from server.core.errors import StoreUnavailable
from server.core.rooms import EntryMode, Overtaken, Present, RoomOptions
from tests.support.engine.in_rooms import A_WHILE, ROOM, InRooms, heard, store_of, told
from tests.support.engine.virtual_time import on_virtual_time

LEAVE = f'{{"type":"leave","room":"{ROOM}"}}'


@on_virtual_time
async def test_the_last_socket_that_leaves_ends_the_telling() -> None:
    here = InRooms()
    await here.start()
    await here.rooms.add(ROOM, user="ann")
    client = await here.arrive()
    room = here.memory.rooms.rooms[ROOM]
    assert set(room.listeners) == {"n1"}
    client.socket.transport_closed(1000)
    await asyncio.sleep(A_WHILE)
    assert (room.listeners, room.present) == ({}, {})
    inbox = len(here.memory.rooms.inboxes.get("n1", ()))
    await here.publish(1)
    assert len(here.memory.rooms.inboxes.get("n1", ())) == inbox


@on_virtual_time
async def test_numbers_of_sockets_that_were_not_stored_are_stored_later() -> None:
    here = InRooms()
    await here.start(RoomOptions(presence=True))
    await here.rooms.add(ROOM, user="ann")
    client, store = await here.arrive(), store_of(here)
    count, failures = store.count, 2

    async def count_late(*asked: Any, **listens: Any) -> Any:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise StoreUnavailable("count")
        return await count(*asked, **listens)

    store.count = count_late
    client.socket.transport_closed(1000)
    await asyncio.sleep(3)
    assert await here.rooms.presence(ROOM) == ()
    assert here.memory.rooms.rooms[ROOM].listeners == {}
    assert here.nodes[0].engine.socket_dependencies.rooms._here.rooms() == []


@on_virtual_time
async def test_a_socket_that_comes_back_before_its_number_was_stored_still_hears() -> None:
    here = InRooms()
    await here.start()
    await here.rooms.add(ROOM, user="ann")
    live = await here.nodes[0].sign_in()
    client = await here.open(live)
    client.socket.transport_closed(1000)
    again = await here.open(live)
    await here.publish(1)
    assert heard(again) == [1]


@on_virtual_time
async def test_whom_a_slow_store_lets_in_stays_in_its_numbers_and_after_a_gap() -> None:
    here = InRooms()
    await here.start(RoomOptions(presence=True))
    here.doors.known.add("ann")
    ann, store = await here.arrive(), store_of(here)
    enter = store.enter

    async def enter_slowly(*asked: Any) -> Any:
        found = await enter(*asked)
        await asyncio.sleep(0.3)
        return found

    store.enter = enter_slowly
    await here.join(ann)
    await asyncio.sleep(1)
    assert await here.rooms.presence(ROOM) == (Present("ann", "", 1),)
    here.memory.rooms.rooms[ROOM].number += 1
    await here.publish(1)
    await here.publish(2)
    assert (heard(ann), told(ann, "left")) == ([2], [])


@on_virtual_time
async def test_a_number_of_sockets_that_a_request_to_enter_has_overtaken_is_counted_anew() -> None:
    here = InRooms()
    await here.start(RoomOptions(presence=True))
    here.doors.known.add("ann")
    live = await here.nodes[0].sign_in()
    first, again = await here.open(live), await here.open(live)
    await here.join(first)
    store = store_of(here)
    count = store.count

    async def count_late(*asked: Any, **listens: Any) -> Any:
        await asyncio.sleep(0.3)
        return await count(*asked, **listens)

    store.count = count_late
    await first.socket.receive(LEAVE)
    await asyncio.sleep(0.1)
    await here.join(again)
    await asyncio.sleep(1)
    assert await here.rooms.presence(ROOM) == (Present("ann", "", 1),)
    await again.socket.receive(LEAVE)
    await asyncio.sleep(1)
    assert await here.rooms.presence(ROOM) == ()


@on_virtual_time
async def test_a_request_that_the_store_answers_after_it_was_given_up_leaves_nobody_in() -> None:
    here = InRooms()
    await here.start(RoomOptions(presence=True))
    await here.rooms.add(ROOM, user="ann")
    store = store_of(here)
    enter, late = store.enter, list[Any]()

    async def enter_later(*asked: Any) -> Any:
        late.append(asked)
        raise StoreUnavailable("enter")

    store.enter = enter_later
    client = await here.arrive()
    client.socket.transport_closed(1000)
    await asyncio.sleep(2)
    for asked in late:
        await enter(*asked)
    await asyncio.sleep(2)
    assert late
    assert await here.rooms.presence(ROOM) == ()
    assert here.memory.rooms.rooms[ROOM].listeners == {}


@on_virtual_time
async def test_who_has_left_is_told_again_to_a_server_that_took_over() -> None:
    here = InRooms()
    await here.start(RoomOptions(presence=True))
    await here.rooms.add(ROOM, user="ann")
    client = await here.arrive()
    room = here.memory.rooms.rooms[ROOM]
    listeners, present, people = dict(room.listeners), dict(room.present), Counter(room.people)
    client.socket.transport_closed(1000)
    await asyncio.sleep(A_WHILE)
    assert await here.rooms.presence(ROOM) == ()
    room.listeners, room.present, room.people = listeners, present, people
    here.memory.rooms.counted.clear()
    here.nodes[0].engine.socket_dependencies.rooms._here.histories[0] = "the one before"
    await asyncio.sleep(A_WHILE)
    assert (await here.rooms.presence(ROOM), room.listeners) == ((), {})


@on_virtual_time
async def test_a_request_that_a_count_has_overtaken_is_made_again() -> None:
    here = InRooms()
    await here.start()
    client, store = await here.arrive(), store_of(here)
    enter, asked = store.enter, list[EntryMode]()

    async def enter_late(*given: Any) -> Any:
        asked.append(given[2])
        return Overtaken() if asked.count(given[2]) == 1 else await enter(*given)

    store.enter = enter_late
    await here.rooms.add(ROOM, user="ann")
    await asyncio.sleep(A_WHILE)
    assert len(told(client, "joined")) == 1
    here.memory.rooms.rooms[ROOM].number += 1
    await here.publish(1)
    await here.publish(2)
    assert heard(client)[-1] == 2
    assert asked == [EntryMode.GRANTED] * 2 + [EntryMode.AGAIN] * 2
