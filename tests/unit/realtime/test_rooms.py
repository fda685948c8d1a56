"""What an application does with rooms, in any process."""

import asyncio

import pytest

from server.core.errors import StoreUnavailable
from server.core.reasons import Reason
from server.core.rooms import (
    Present,
    Published,
    RemovedMeanwhile,
    RoomOptions,
    RoomRefusal,
    ToRoom,
    ToSession,
    ToSocket,
    ToUser,
)
from tests.support.engine.in_rooms import A_WHILE, ROOM, InRooms, heard, told
from tests.support.engine.virtual_time import on_virtual_time


@on_virtual_time
async def test_who_was_added_hears_everything_until_the_removal_is_answered() -> None:
    here = InRooms()
    await here.start()
    ann, afar, bob = await here.arrive(), await here.arrive("ann", 1), await here.arrive("bob", 1)
    assert await here.rooms.add(ROOM, user="ann") is None
    await asyncio.sleep(A_WHILE)  # a socket hears what is published from its `joined` on
    first = await here.publish(1)
    assert isinstance(first, Published)
    assert await here.rooms.remove(ROOM, user="ann") is None
    await here.publish(2)
    assert (heard(ann), heard(afar), heard(bob)) == ([1], [1], [])
    assert told(ann, "published")[0]["position"] == first.position
    assert [each["reason"] for each in told(afar, "left")] == ["removed"]


@on_virtual_time
async def test_a_session_is_added_and_removed_alone() -> None:
    here = InRooms()
    await here.start()
    ann, other = await here.arrive(), await here.arrive()
    sid = ann.socket.member.sid
    assert await here.rooms.add(ROOM, session=sid) is None
    await asyncio.sleep(A_WHILE)
    await here.publish(1)
    assert await here.rooms.remove(ROOM, session=sid) is None
    await here.publish(2)
    assert (heard(ann), heard(other)) == ([1], [])
    assert await here.rooms.remove(ROOM, session="nobody's") is None


@on_virtual_time
async def test_presence_counts_tabs_on_all_nodes() -> None:
    here = InRooms()
    await here.start(RoomOptions(presence=True))
    await here.rooms.add(ROOM, user="ann")
    await here.arrive()
    await here.arrive("ann", 1)
    assert await here.rooms.presence(ROOM) == (Present("ann", "", 2),)


@on_virtual_time
async def test_users_sessions_and_sockets_are_reached() -> None:
    here = InRooms()
    await here.start()
    ann, other = await here.arrive(), await here.arrive("ann", 1)
    member = ann.socket.member
    for to in (ToUser("ann"), ToSession(member.sid), ToSocket(member.sid, ann.socket.id)):
        assert await here.publish(type(to).__name__, to) == Published()
    assert heard(ann) == ["ToUser", "ToSession", "ToSocket"]
    assert heard(other) == ["ToUser"]


@on_virtual_time
async def test_what_cannot_be_done_is_said_in_a_word() -> None:
    here = InRooms()
    await here.start()
    rooms = here.rooms
    for name in ("", "a\n", "a" * 201):
        for refused in (
            await rooms.create(name),
            await rooms.delete(name),
            await rooms.add(name, user="ann"),
            await rooms.remove(name, user="ann"),
            await rooms.presence(name),
            await rooms.publish(ToRoom(name), 1),
        ):
            assert refused is RoomRefusal.BAD_NAME
    for refused in (
        await rooms.delete("x"),
        await rooms.add("x", user="ann"),
        await rooms.remove("x", user="ann"),
        await rooms.presence("x"),
        await rooms.publish(ToRoom("x"), 1),
    ):
        assert refused is RoomRefusal.UNKNOWN
    assert await rooms.add(ROOM, user="ann", session="s") is RoomRefusal.BAD_MEMBER
    assert await rooms.add(ROOM, session="s") is RoomRefusal.SESSION_ENDED
    assert await rooms.publish(ToUser("a b"), 1) is RoomRefusal.BAD_MEMBER
    assert await rooms.publish(ToRoom(ROOM), "x" * 10**7) is RoomRefusal.TOO_LARGE


@on_virtual_time
async def test_a_store_that_does_not_answer_is_no_refusal() -> None:
    here = InRooms()
    await here.start()
    here.nodes[0].cut()
    for attempt in (here.rooms.remove(ROOM, user="ann"), here.rooms.publish(ToRoom(ROOM), 1)):
        with pytest.raises(StoreUnavailable):
            await attempt


@on_virtual_time
async def test_who_is_added_while_others_are_removed_again_and_again_is_told_to_try_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = InRooms()
    await here.start()

    async def add(*_: object) -> RemovedMeanwhile:
        return RemovedMeanwhile()

    monkeypatch.setattr(here.rooms._store, "add", add)
    assert await here.rooms.add(ROOM, user="ann") is RoomRefusal.BUSY


@on_virtual_time
async def test_a_name_that_is_given_up_is_in_no_room_and_a_new_name_of_the_person_in_the_same() -> (
    None
):
    here = InRooms()
    await here.start()
    await here.rooms.add(ROOM, user="ann")
    await here.rooms.rename("ann", "anna")
    await here.rooms.forget("ann")
    anna, ann = await here.arrive("anna"), await here.arrive()
    await here.publish(1)
    assert (heard(anna), heard(ann)) == ([1], [])


@on_virtual_time
async def test_a_socket_without_an_id_is_not_all_sockets_of_the_session() -> None:
    here = InRooms()
    await here.start()
    ann = await here.arrive()
    sent = await here.publish(1, ToSocket(ann.socket.member.sid, ""))
    assert (sent, heard(ann)) == (RoomRefusal.BAD_MEMBER, [])


@on_virtual_time
async def test_nothing_is_published_to_a_session_that_has_ended() -> None:
    here = InRooms()
    await here.start()
    live = await here.nodes[0].sign_in()
    await here.nodes[0].engine.terminations.one(live.session, Reason.LOGOUT)
    sid = live.session.sid
    for to in (ToSession(sid), ToSocket(sid, "c"), ToSession("no id")):
        assert await here.publish(1, to) is RoomRefusal.SESSION_ENDED
        waiting = here.publish(1, to, within=60.0)
        assert await asyncio.wait_for(waiting, 5) is RoomRefusal.SESSION_ENDED
    assert await here.rooms.add(ROOM, session=sid) is RoomRefusal.SESSION_ENDED
