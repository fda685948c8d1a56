"""A room in which something was missed is held until the store has said who is in."""

import asyncio
from dataclasses import replace
from typing import Any

from server.core.errors import StoreUnavailable
from server.core.rooms import RemovedMeanwhile, ToRoom
from server.realtime.room_entrance import ASKED_AT_ONCE
from tests.support.engine.in_rooms import A_WHILE, ROOM, InRooms, codes, heard, store_of, told
from tests.support.engine.virtual_time import on_virtual_time


@on_virtual_time
async def test_a_gap_is_found_and_the_socket_told_of_it() -> None:
    here = InRooms()
    await here.start()
    await here.rooms.add(ROOM, user="ann")
    client = await here.arrive()
    here.memory.rooms.rooms[ROOM].number += 1
    here.memory.rooms.rooms[ROOM].messages += 1
    await here.publish(2)
    await here.publish(3)
    assert len(told(client, "lost")) == 1
    assert heard(client)[-1] == 3


@on_virtual_time
async def test_who_was_removed_in_a_gap_is_out() -> None:
    here = InRooms()
    await here.start()
    await here.rooms.add(ROOM, user="ann")
    client = await here.arrive()
    listeners = here.memory.rooms.rooms[ROOM].listeners
    kept = dict(listeners)
    listeners.clear()
    await here.rooms.remove(ROOM, user="ann")
    listeners.update(kept)
    await here.publish(2)
    assert heard(client) == []
    assert [each["reason"] for each in told(client, "left")] == ["removed"]


@on_virtual_time
async def test_while_the_store_is_down_a_room_stays_held_and_then_goes_on() -> None:
    here = InRooms()
    await here.start()
    await here.rooms.add(ROOM, user="ann")
    client, store = await here.arrive(), store_of(here)
    enter, answers = store.enter, [StoreUnavailable("enter"), RemovedMeanwhile(), None]

    async def enter_late(*asked: Any) -> Any:
        answer = answers.pop(0) if answers else None
        if isinstance(answer, StoreUnavailable):
            raise answer
        return answer or await enter(*asked)

    store.enter = enter_late
    here.memory.rooms.rooms[ROOM].number += 1  # a number that never came
    await here.publish(1)
    assert heard(client) == []
    await asyncio.sleep(2)
    assert (answers, heard(client)) == ([], [])
    await here.publish(2)
    assert heard(client) == [2]
    assert len(told(client, "lost")) == 1


@on_virtual_time
async def test_a_room_that_was_deleted_in_a_gap_is_left() -> None:
    here = InRooms()
    await here.start()
    await here.rooms.add(ROOM, user="ann")
    client = await here.arrive()
    room = here.memory.rooms.rooms[ROOM]
    room.number += 1
    await here.rooms.publish(ToRoom(ROOM), 1)
    del here.memory.rooms.rooms[ROOM]
    await asyncio.sleep(A_WHILE)
    assert [each["reason"] for each in told(client, "left")] == ["deleted"]
    assert heard(client) == []


@on_virtual_time
async def test_an_answer_of_another_server_lets_nobody_in_and_holds_on() -> None:
    here = InRooms()
    await here.start()
    here.doors.known.add("ann")
    client, store = await here.arrive(), store_of(here)
    await here.join(client)
    enter, is_other = store.enter, True

    async def enter_elsewhere(*asked: Any) -> Any:
        found = await enter(*asked)
        return replace(found, history="another") if is_other else found

    store.enter = enter_elsewhere
    here.nodes[0].engine.socket_dependencies.rooms._here.histories[0] = "ours"
    other = await here.arrive()
    await here.join(other)
    assert codes(other) == [("unavailable", None)]
    assert told(other, "joined") == []
    is_other = False
    here.nodes[0].engine.socket_dependencies.rooms._here.histories[0] = ""
    await here.join(other)
    assert len(told(other, "joined")) == 1


@on_virtual_time
async def test_a_node_that_was_taken_for_gone_tells_its_sockets_when_another_one_enters() -> None:
    here = InRooms()
    await here.start()
    here.doors.known |= {"ann", "bob"}
    ann, bob = await here.arrive(), await here.arrive("bob")
    await here.join(ann)
    here.memory.rooms.rooms[ROOM].listeners.clear()  # as other nodes bury one that is gone
    await here.publish(1)
    await here.join(bob)
    await here.publish(2)
    assert (heard(ann), len(told(ann, "lost"))) == ([2], 1)
    assert (heard(bob), len(told(bob, "lost"))) == ([2], 0)


@on_virtual_time
async def test_an_answer_from_before_a_gap_lets_in_from_behind_the_gap() -> None:
    here = InRooms()
    await here.start()
    here.doors.known |= {"ann", "bob"}
    ann, bob = await here.arrive(), await here.arrive("bob")
    await here.join(bob)
    store, is_late = store_of(here), True
    enter = store.enter

    async def enter_late(*asked: Any) -> Any:
        nonlocal is_late
        found = await enter(*asked)
        if is_late and found.is_in == (True,):
            is_late = False
            await asyncio.sleep(3)
        return found

    store.enter = enter_late
    joining = asyncio.ensure_future(here.join(ann))
    await asyncio.sleep(0.1)
    here.memory.rooms.rooms[ROOM].number += 1
    await here.publish(1)
    await here.publish(2)
    await joining
    await here.publish(3)
    assert (heard(bob), heard(ann)) == ([2, 3], [3])
    assert told(ann, "joined")[0]["position"] == told(bob, "published")[0]["position"]


@on_virtual_time
async def test_a_room_that_is_deleted_and_made_again_at_once_keeps_the_removed_out() -> None:
    here = InRooms()
    await here.start()
    here.doors.known.add("ann")
    client = await here.arrive()
    await here.join(client)
    for number in (1, 2, 3):
        await here.publish(number)
    await here.rooms.delete(ROOM)
    await asyncio.sleep(0.02)
    await here.rooms.create(ROOM)
    await client.socket.receive(f'{{"type":"join","room":"{ROOM}"}}')
    await here.publish(4)
    await here.rooms.remove(ROOM, user="ann")
    for number in (5, 6, 7):
        await here.publish(number)
    assert heard(client) == [1, 2, 3, 4]
    assert [each["reason"] for each in told(client, "left")] == ["deleted", "removed"]


@on_virtual_time
async def test_an_answer_of_a_server_that_another_has_followed_meanwhile_lets_nobody_in() -> None:
    here = InRooms()
    await here.start()
    client = await here.arrive()
    rooms = here.nodes[0].engine.socket_dependencies.rooms._here
    async with rooms._order:
        await here.rooms.add(ROOM, user="ann")
        await asyncio.sleep(0.1)
        rooms.histories[0] = "another"
    await asyncio.sleep(0.01)
    assert told(client, "joined") == []
    await asyncio.sleep(1)
    assert len(told(client, "joined")) == 1


@on_virtual_time
async def test_the_store_is_asked_about_some_held_rooms_at_once_and_not_about_all() -> None:
    here = InRooms()
    await here.start()
    names = [f"den {number}" for number in range(3 * ASKED_AT_ONCE)]
    for name in names:
        await here.rooms.create(name)
        await here.rooms.add(name, user="ann")
    client, store = await here.arrive(), store_of(here)
    await asyncio.sleep(1)
    assert len(told(client, "joined")) == len(names)
    enter, asking, most = store.enter, 0, 0

    async def enter_counted(*asked: Any) -> Any:
        nonlocal asking, most
        asking += 1
        most = max(most, asking)
        try:
            return await enter(*asked)
        finally:
            asking -= 1

    store.enter = enter_counted
    rooms = here.nodes[0].engine.socket_dependencies.rooms._here
    rooms.hold_all()
    await asyncio.sleep(1)
    assert most == ASKED_AT_ONCE
    assert not [each for each in rooms.rooms() if each.is_held]
