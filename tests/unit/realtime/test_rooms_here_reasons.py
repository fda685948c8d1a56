"""Whoever is out of a room is told why: only who was removed is told so."""

import asyncio
from typing import Any

from server.core.rooms import RoomOptions
from tests.support.engine.in_rooms import A_WHILE, ROOM, InRooms, codes, told
from tests.support.engine.memory_node import Client
from tests.support.engine.virtual_time import on_virtual_time

OTHERS = ("ann", "bob")


def reasons(client: Client) -> list[Any]:
    """Why a client is out."""
    return [each["reason"] for each in told(client, "left")]


async def joined() -> tuple[InRooms, list[Client]]:
    """Two people who have joined by request."""
    here = InRooms()
    await here.start(RoomOptions())
    here.doors.known |= {*OTHERS}
    clients = [await here.arrive(name) for name in OTHERS]
    for client in clients:
        await here.join(client)
        assert len(told(client, "joined")) == 1
    return here, clients


async def fail_over(here: InRooms) -> None:
    """Let another server take over, which has what the test has left in the store."""
    for node in here.nodes:
        node.store._balancer.target.history = "second"
    await asyncio.sleep(A_WHILE)


@on_virtual_time
async def test_who_joined_just_before_a_failover_may_ask_again() -> None:
    here, (ann, bob) = await joined()
    room = here.memory.rooms.rooms[ROOM]
    for member, node in list(room.present):
        if member.user == "ann":  # the new server has not got her entrance
            del room.present[member, node]
    await fail_over(here)
    assert (reasons(ann), reasons(bob)) == (["unverified"], [])
    await here.join(ann)
    assert len(told(ann, "joined")) == 2


@on_virtual_time
async def test_who_was_removed_just_before_a_failover_asks_again_in_vain() -> None:
    here, (ann, _) = await joined()
    here.doors.known.remove("ann")
    room = here.memory.rooms.rooms[ROOM]
    room.listeners.clear()  # the removal does not get here before the failover
    await here.rooms.remove(ROOM, user="ann")
    await fail_over(here)
    assert reasons(ann) == ["unverified"]
    await here.join(ann)
    assert codes(ann) == [("not_a_member", ROOM)]


@on_virtual_time
async def test_a_node_that_was_taken_for_gone_does_not_say_that_people_were_removed() -> None:
    here, (ann, bob) = await joined()
    room = here.memory.rooms.rooms[ROOM]
    room.listeners.clear()  # as other nodes bury one that is gone
    room.present.clear()
    here.nodes[0].engine.socket_dependencies.rooms._here.hold_all()
    await asyncio.sleep(A_WHILE)
    assert (reasons(ann), reasons(bob)) == (["unverified"], ["unverified"])


@on_virtual_time
async def test_a_room_that_was_made_again_in_a_gap_was_deleted_for_who_was_in_it() -> None:
    here, (ann, bob) = await joined()
    del here.memory.rooms.rooms[ROOM]
    await here.rooms.create(ROOM)
    await here.rooms.add(ROOM, user="bob")
    here.nodes[0].engine.socket_dependencies.rooms._here.hold_all()
    await asyncio.sleep(A_WHILE)
    assert (reasons(ann), reasons(bob)) == (["deleted"], [])


@on_virtual_time
async def test_who_was_removed_while_the_node_missed_it_is_told_so() -> None:
    here, (ann, bob) = await joined()
    listeners = here.memory.rooms.rooms[ROOM].listeners
    kept = dict(listeners)
    listeners.clear()
    await here.rooms.remove(ROOM, user="ann")
    listeners.update(kept)
    await here.publish(1)
    assert (reasons(ann), reasons(bob)) == (["removed"], [])
