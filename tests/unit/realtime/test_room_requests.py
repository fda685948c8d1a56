"""What clients ask about rooms."""

import asyncio
from typing import Any

import pytest

from server.core.errors import StoreUnavailable
from server.core.rooms import RoomOptions, RoomRefusal
from server.realtime import room_requests
from server.realtime.room_requests import TRIES
from tests.support.engine.in_rooms import A_WHILE, ROOM, InRooms, codes, heard, store_of, told
from tests.support.engine.virtual_time import on_virtual_time, settle

LEAVE = f'{{"type":"leave","room":"{ROOM}"}}'
PRESENCE = f'{{"type":"presence","room":"{ROOM}"}}'


@on_virtual_time
async def test_the_application_decides_who_joins_by_request() -> None:
    here = InRooms()
    await here.start()
    here.doors.known.add("ann")
    ann, bob = await here.arrive(), await here.arrive("bob")
    for client in (ann, bob):
        await here.join(client)
    await here.publish(1)
    assert (heard(ann), heard(bob)) == ([1], [])
    assert told(bob, "error")[0]["code"] == "not_a_member"


@on_virtual_time
async def test_whom_the_server_has_added_joins_without_the_check() -> None:
    here = InRooms()
    await here.start()
    ann = await here.arrive()
    await here.rooms.add(ROOM, user="ann")
    await here.say(ann, f'{{"type":"leave","room":"{ROOM}"}}')
    await here.join(ann)
    await here.join(ann)
    assert (here.doors.asked, len(told(ann, "joined"))) == (0, 3)


@on_virtual_time
async def test_a_check_that_somebody_was_removed_during_is_made_again() -> None:
    here = InRooms()
    await here.start()
    here.doors.known.add("ann")
    ann = await here.arrive()
    room = here.memory.rooms.rooms[ROOM]
    check = here.doors.may_join

    async def may_join(*asked: object) -> bool:
        room.removals += here.doors.asked < 2
        return await check(*asked)  # type: ignore[arg-type]

    here.doors.may_join = may_join  # type: ignore[method-assign, assignment]
    await here.join(ann)
    assert (here.doors.asked, told(ann, "error")) == (3, [])
    assert len(told(ann, "joined")) == 1


@on_virtual_time
async def test_what_was_missed_comes_first_and_once() -> None:
    here = InRooms()
    await here.start(RoomOptions(keep=2))
    here.doors.known.add("ann")
    ann = await here.arrive()
    await here.join(ann)
    position = told(ann, "joined")[0]["position"]
    for number in (1, 2):
        await here.publish(number)
    again, far = await here.arrive("ann", 1), await here.arrive("ann", 1)
    await here.join(again, f',"after":"{position}"')
    await here.publish(3)
    assert heard(again) == [1, 2, 3]
    assert told(again, "replayed")[0]["complete"] is True
    await here.join(far, f',"after":"{position}"')
    assert heard(far) == [2, 3]
    assert told(far, "replayed")[0]["complete"] is False


@on_virtual_time
async def test_who_is_there_is_told_to_those_who_are_in() -> None:
    here = InRooms()
    await here.start(RoomOptions(presence=True))
    here.doors.known |= {"ann", "bob"}
    ann, bob = await here.arrive(), await here.arrive("bob", 1)
    await here.join(ann)
    await here.say(bob, f'{{"type":"presence","room":"{ROOM}"}}')
    assert told(bob, "error")[0]["code"] == "not_a_member"
    await here.join(bob)
    await here.say(ann, f'{{"type":"presence","room":"{ROOM}"}}')
    assert {each["user"] for each in told(ann, "present")[0]["people"]} == {"ann", "bob"}
    bob.socket.transport_closed(1000)
    await asyncio.sleep(A_WHILE)
    changes = [(each["user"], each["change"]) for each in told(ann, "presence")]
    assert changes == [("bob", "come"), ("bob", "gone")]


@on_virtual_time
async def test_a_name_that_no_room_can_have_is_refused_and_not_sent_back() -> None:
    here = InRooms()
    await here.start()
    ann = await here.arrive()
    for kind in ("join", "leave", "presence"):
        for name in ('""', "5", "null", '"a\\n"', f'"{"a" * 201}"'):
            await ann.socket.receive(f'{{"type":"{kind}","room":{name}}}')
    await settle()
    assert codes(ann) == [("bad_room", None)] * 15


@on_virtual_time
async def test_a_room_that_does_not_exist_is_unknown() -> None:
    here = InRooms()
    await here.start()
    here.doors.known.add("ann")
    ann = await here.arrive()
    await here.say(ann, '{"type":"join","room":"nowhere"}')
    assert codes(ann) == [("unknown_room", "nowhere")]
    assert here.doors.asked == 0


@on_virtual_time
async def test_a_room_that_is_deleted_during_the_check_is_unknown() -> None:
    here = InRooms()
    await here.start()
    ann = await here.arrive()

    async def may_join(*_: object) -> bool:
        await here.rooms.delete(ROOM)
        return True

    here.doors.may_join = may_join  # type: ignore[method-assign, assignment]
    await here.join(ann)
    assert codes(ann) == [("unknown_room", ROOM)]
    assert told(ann, "joined") == []


@on_virtual_time
async def test_who_is_overtaken_by_removals_again_and_again_is_told_to_try_later() -> None:
    here = InRooms()
    await here.start()
    here.doors.known.add("ann")
    ann = await here.arrive()
    check = here.doors.may_join

    async def may_join(*asked: object) -> bool:
        await here.rooms.remove(ROOM, user="bob")
        return await check(*asked)  # type: ignore[arg-type]

    here.doors.may_join = may_join  # type: ignore[method-assign, assignment]
    await here.join(ann)
    assert codes(ann) == [("room_busy", ROOM)]
    assert here.doors.asked == TRIES
    await here.publish(1)
    assert heard(ann) == []


@on_virtual_time
async def test_a_socket_is_in_so_many_rooms_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    here = InRooms()
    await here.start()
    await here.rooms.create("attic")
    here.doors.known.add("ann")
    ann = await here.arrive()
    monkeypatch.setattr(room_requests, "MAX_ROOMS_OF_SOCKET", 1)
    await here.join(ann)
    await here.say(ann, '{"type":"join","room":"attic"}')
    assert codes(ann) == [("too_many_rooms", "attic")]
    await here.say(ann, LEAVE)
    await here.say(ann, '{"type":"join","room":"attic"}')
    assert [each["room"] for each in told(ann, "joined")] == [ROOM, "attic"]


@on_virtual_time
async def test_while_the_store_is_down_a_join_is_answered_and_a_later_one_gets_in() -> None:
    here = InRooms()
    await here.start()
    here.doors.known.add("ann")
    ann, down = await here.arrive(), True
    enter = store_of(here).enter

    async def enter_unless_down(*asked: Any) -> Any:
        if down:
            raise StoreUnavailable("enter")
        return await enter(*asked)

    store_of(here).enter = enter_unless_down
    await here.join(ann)
    assert codes(ann) == [("unavailable", None)]
    down = False
    await here.join(ann)
    await here.publish(1)
    assert heard(ann) == [1]


@on_virtual_time
async def test_who_leaves_hears_nothing_more_and_cannot_leave_twice() -> None:
    here = InRooms()
    await here.start()
    here.doors.known.add("ann")
    ann = await here.arrive()
    await here.join(ann)
    await here.say(ann, LEAVE)
    await here.say(ann, LEAVE)
    await here.publish(1)
    assert [each["reason"] for each in told(ann, "left")] == ["left"]
    assert (codes(ann), heard(ann)) == ([("not_a_member", ROOM)], [])


@on_virtual_time
async def test_who_is_in_already_is_told_where_and_whether_that_is_all() -> None:
    here = InRooms()
    await here.start(RoomOptions(keep=5))
    here.doors.known.add("ann")
    ann = await here.arrive()
    await here.join(ann)
    before = told(ann, "joined")[0]["position"]
    await here.publish(1)
    now = told(ann, "published")[0]["position"]
    for after in (now, before):
        await here.join(ann, f',"after":"{after}"')
    assert [each["position"] for each in told(ann, "joined")] == [before, now, now]
    assert [each["complete"] for each in told(ann, "replayed")] == [True, False]
    assert heard(ann) == [1]


@on_virtual_time
async def test_who_is_removed_while_asking_who_is_there_is_not_told() -> None:
    here = InRooms()
    await here.start()
    here.doors.known.add("ann")
    ann = await here.arrive()
    await here.join(ann)
    present = store_of(here).present

    async def present_after_removal(name: str) -> Any:
        found = await present(name)
        await here.rooms.remove(ROOM, user="ann")
        await asyncio.sleep(A_WHILE)
        return found

    store_of(here).present = present_after_removal
    await here.say(ann, PRESENCE)
    assert told(ann, "present") == []
    assert told(ann, "left")[0]["reason"] == "removed"


@on_virtual_time
async def test_a_room_deleted_while_somebody_asks_who_is_there_is_unknown() -> None:
    here = InRooms()
    await here.start()
    here.doors.known.add("ann")
    ann = await here.arrive()
    await here.join(ann)

    async def present(_: str) -> RoomRefusal:
        return RoomRefusal.UNKNOWN

    store_of(here).present = present
    await here.say(ann, PRESENCE)
    assert codes(ann) == [("unknown_room", ROOM)]
