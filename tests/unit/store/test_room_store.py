"""Rooms: what the scripts do in one step on a real store, and their double in memory."""

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from server.core import rooms as limits
from server.core.errors import StoreUnavailable
from server.core.room_entries import RoomEntry, RoomRemoval
from server.core.rooms import (
    Admitted,
    EntryMode,
    Member,
    Overtaken,
    Present,
    RemovedMeanwhile,
    RoomOptions,
    RoomRefusal,
)
from server.core.session import Rules
from server.store import room_store
from server.store.names import ShardNames
from server.store.room_contract import Acknowledged, Kept, RoomStore, Sent, Turn
from server.store.room_inbox import RoomInbox
from server.store.room_store import KEPT_BYTES, RedisRoomStore
from server.store.scripts import Scripts
from tests.simulation import room_memory
from tests.simulation.memory import Memory
from tests.simulation.network import Link
from tests.simulation.remote_store import RemoteStore
from tests.simulation.servers import Balancer, Server

ANN, TAB, GUEST = Member("ann", "00a"), Member("ann", "00b"), Member("", "00g")
TURN = Turn("n1", 1)


@pytest.fixture
async def redis_rooms(client: Redis) -> RedisRoomStore:
    inbox = RoomInbox(client, "n1", 1, timedelta(milliseconds=1))
    rooms = RedisRoomStore(client, Scripts(client), [inbox], 1)
    await client.zadd(ShardNames(0).nodes, {"n1": 1.0})
    await rooms.create("den", "e1", RoomOptions(presence=True, keep=2))
    return rooms


@pytest.fixture
async def memory_rooms() -> RoomStore:
    """The double that the simulation and the unit tests of nodes use."""
    memory = Memory(asyncio.get_running_loop().time, Rules(), 1.0)
    memory.nodes["n1"] = 1.0
    link = Link(random.Random(0))  # noqa: S311 - delays are no secret
    link.slowest = 0.0003
    rooms = RemoteStore(Balancer(Server(memory)), link, "n1").rooms
    await rooms.create("den", "e1", RoomOptions(presence=True, keep=2))
    return rooms


@pytest.fixture(params=["redis_rooms", "memory_rooms"])
def rooms(request: pytest.FixtureRequest) -> RoomStore:
    found: RoomStore = request.getfixturevalue(request.param)
    return found


async def entries(rooms: RoomStore) -> list[RoomEntry]:
    """What is in the inbox."""
    batch = await rooms.inboxes[0].read({})
    return [each for each in batch.entries if isinstance(each, RoomEntry)]


async def seen(rooms: RoomStore, name: str = "den") -> int:
    """How often somebody was removed, as who asks for something has seen it."""
    found = await rooms.removals(name)
    assert not isinstance(found, RoomRefusal)
    return found


async def test_who_was_added_may_enter_until_removed(rooms: RoomStore) -> None:
    before = await seen(rooms)
    assert await rooms.add("den", "ann", "", 0, await seen(rooms)) is None
    assert await rooms.rooms_of([ANN, GUEST]) == [["den"], []]
    entered = await rooms.enter("den", TURN, EntryMode.GRANTED, {ANN: 1, GUEST: 1})
    assert isinstance(entered, Admitted)
    assert (entered.epoch, entered.is_in) == ("e1", (True, False))
    sent = await rooms.publish("den", b"box", "", "")
    assert isinstance(sent, Sent)
    assert sent.nodes == ["n1"]
    assert await rooms.remove("den", "ann", "") is None
    assert await seen(rooms) == before + 1
    found = await entries(rooms)
    assert [each.number for each in found] == list(range(found[0].number, found[0].number + 4))
    assert [type(each.what).__name__ for each in found] == [
        "RoomPresence", "RoomMessage", "RoomRemoval", "RoomPresence",
    ]  # fmt: skip
    assert found[2].what == RoomRemoval("ann")
    assert await rooms.present("den") == []
    assert await rooms.rooms_of([ANN]) == [[]]
    again = await rooms.enter("den", TURN, EntryMode.AGAIN, {ANN: 1})
    assert isinstance(again, Admitted)
    assert again.is_in == (False,)


async def test_a_user_is_removed_with_sessions_that_were_added_alone(
    rooms: RoomStore,
) -> None:
    await rooms.add("den", "ann", ANN.sid, 60_000, await seen(rooms))
    await rooms.add("den", "annabel", "00c", 60_000, await seen(rooms))
    await rooms.remove("den", "ann", "")
    entered = await rooms.enter(
        "den", TURN, EntryMode.GRANTED, {ANN: 1, Member("annabel", "00c"): 1}
    )
    assert isinstance(entered, Admitted)
    assert entered.is_in == (False, True)


async def test_a_check_and_an_addition_from_before_a_removal_are_void(
    rooms: RoomStore,
) -> None:
    before = await seen(rooms)
    await rooms.remove("den", "bob", "")
    entered = await rooms.enter("den", TURN, EntryMode.CHECKED, {ANN: 1}, before)
    assert entered == RemovedMeanwhile()
    assert await rooms.add("den", "ann", "", 0, before) == RemovedMeanwhile()
    entered = await rooms.enter("den", TURN, EntryMode.CHECKED, {ANN: 1}, before + 1)
    assert isinstance(entered, Admitted)


async def test_tabs_are_counted_and_a_late_stop_does_not_count(rooms: RoomStore) -> None:
    await rooms.enter(
        "den", Turn("n1", 5), EntryMode.CHECKED, {ANN: 1, TAB: 2, GUEST: 1}, await seen(rooms)
    )
    present = await rooms.present("den")
    assert not isinstance(present, RoomRefusal)
    assert set(present) == {Present("ann", "", 3), Present(None, "00g", 1)}
    assert not await rooms.count("den", Turn("n1", 4), {TAB: 1, ANN: 0}, listens=False)
    present = await rooms.present("den")
    assert not isinstance(present, RoomRefusal)
    assert set(present) == {Present("ann", "", 3), Present(None, "00g", 1)}
    await rooms.publish("den", b"box", "", "")
    assert len(await entries(rooms)) == 3
    assert await rooms.count("den", Turn("n1", 6), {ANN: 0, TAB: 0, GUEST: 0}, listens=False)
    number = len(await entries(rooms))
    await rooms.publish("den", b"box", "", "")
    assert (len(await entries(rooms)), await rooms.present("den")) == (number, [])


async def test_the_last_messages_are_kept(rooms: RoomStore) -> None:
    for box in (b"1", b"2", b"3"):
        await rooms.publish("den", box, "", "")
    kept = await rooms.kept("den", 0)
    assert isinstance(kept, Kept)
    assert (kept.latest, kept.messages) == (3, [(2, b"2"), (3, b"3")])


async def test_nodes_that_are_gone_are_forgotten(rooms: RoomStore) -> None:
    await rooms.enter("den", Turn("n2", 1), EntryMode.CHECKED, {ANN: 1}, await seen(rooms))
    assert await rooms.present("den") == []
    await rooms.enter("den", TURN, EntryMode.CHECKED, {GUEST: 1}, await seen(rooms))
    gone = await rooms.ghosts(())
    assert gone == {"n2"}
    assert await rooms.ghosts(gone) == set()
    await rooms.publish("den", b"box", "", "")
    if isinstance(rooms, RedisRoomStore):
        assert not await rooms._client.exists(ShardNames(0).inbox("n2"))
    left = [each.what for each in await entries(rooms)]
    assert "has_come=False" in str(left)


async def test_a_node_that_comes_back_while_it_is_being_forgotten_is_not(
    redis_rooms: RedisRoomStore, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    await redis_rooms.enter(
        "den", Turn("n2", 1), EntryMode.CHECKED, {ANN: 1}, await seen(redis_rooms)
    )
    gone, forget = await redis_rooms.ghosts(()), client.zrem

    async def enter_and_forget(*given: Any) -> Any:
        await redis_rooms.enter(
            "den", Turn("n2", 2), EntryMode.CHECKED, {ANN: 1}, await seen(redis_rooms)
        )
        return await forget(*given)

    monkeypatch.setattr(client, "zrem", enter_and_forget)
    assert await redis_rooms.ghosts(gone) == {"n2"}
    assert await client.zrange(ShardNames(0).room_nodes, 0, -1) == [b"n2"]


async def test_an_acknowledgement_comes_into_the_publishers_inbox(rooms: RoomStore) -> None:
    told = [Acknowledged("m", ("c1", "c2")), Acknowledged("m", (), "n2", 2)]
    for each in told:
        await rooms.acknowledge("den", "n1", each)
    assert (await rooms.inboxes[0].read({})).entries == told


async def test_limits_are_refusals(rooms: RoomStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAX_ROOMS", "MAX_MEMBERS", "MAX_ROOMS_OF_MEMBER"):
        assert getattr(room_store, name) == getattr(limits, name)
        monkeypatch.setattr(room_store, name, 1)
        monkeypatch.setattr(room_memory, name, 1)
    assert await rooms.create("second", "e2", RoomOptions()) is RoomRefusal.TOO_MANY_ROOMS
    assert await rooms.create("den", "e2", RoomOptions(keep=1)) is None
    assert await rooms.add("den", "ann", "", 0, await seen(rooms)) is None
    assert await rooms.add("den", "ann", "", 0, await seen(rooms)) is None
    assert await rooms.add("den", "bob", "", 0, await seen(rooms)) is RoomRefusal.TOO_MANY_MEMBERS
    assert await rooms.add("another", "ann", "", 0, 0) is RoomRefusal.TOO_MANY_ROOMS


async def test_a_room_that_is_deleted_is_unknown(rooms: RoomStore) -> None:
    await rooms.enter("den", TURN, EntryMode.CHECKED, {ANN: 1}, await seen(rooms))
    await rooms.publish("den", b"1", "", "")
    assert await rooms.delete("den") is None
    for refusal in (
        await rooms.delete("den"), await rooms.remove("den", "ann", ""),
        await rooms.removals("den"), await rooms.publish("den", b"", "", ""),
        await rooms.kept("den", 0), await rooms.present("den"),
        await rooms.enter("den", TURN, EntryMode.AGAIN, {ANN: 1}),
        await rooms.add("den", "ann", "", 0, 0),
    ):  # fmt: skip
        assert refusal is RoomRefusal.UNKNOWN
    await rooms.count("den", TURN, {ANN: 1}, listens=True)
    if isinstance(rooms, RedisRoomStore):
        left = [key async for key in rooms._client.scan_iter("*room:*")]
        assert left == []


async def test_a_store_that_does_not_tell_the_rooms_of_a_member_is_no_member_without_rooms(
    redis_rooms: RedisRoomStore, client: Redis
) -> None:
    await client.set(ShardNames(0).rooms_of("u:ann"), "something else")
    with pytest.raises(StoreUnavailable):
        await redis_rooms.rooms_of([ANN])


async def test_rooms_that_were_deleted_do_not_count_as_rooms_of_a_member(
    rooms: RoomStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (room_store, room_memory):
        monkeypatch.setattr(module, "MAX_ROOMS_OF_MEMBER", 2)
    for name in ("kitchen", "attic"):
        await rooms.create(name, "e2", RoomOptions())
        assert await rooms.add(name, "ann", "", 0, await seen(rooms, name)) is None
    assert await rooms.add("den", "ann", "", 0, await seen(rooms)) is RoomRefusal.TOO_MANY_ROOMS
    await rooms.delete("attic")
    assert await rooms.add("den", "ann", "", 0, await seen(rooms)) is None
    assert await rooms.rooms_of([ANN]) == [["den", "kitchen"]]


async def test_who_is_added_while_a_removal_is_under_way_keeps_the_room_on_the_list(
    redis_rooms: RedisRoomStore, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms = redis_rooms
    for sid in ("", ANN.sid):
        assert await rooms.add("den", "ann", sid, 60_000, await seen(rooms)) is None
    run = rooms._scripts.run

    async def run_and_add(name: str, *given: Any, **how: Any) -> Any:
        reply = await run(name, *given, **how)
        if name == "room_remove":
            for sid in ("", ANN.sid):
                assert await rooms.add("den", "ann", sid, 60_000, await seen(rooms)) is None
        return reply

    monkeypatch.setattr(rooms._scripts, "run", run_and_add)
    assert await rooms.remove("den", "ann", "") is None
    for sid in ("", ANN.sid):
        assert await client.zrange(rooms._index("ann", sid), 0, -1) == [b"den"]


async def test_thousands_of_sessions_of_one_node_are_asked_about_in_one_request(
    rooms: RoomStore,
) -> None:
    many = {Member("", f"{number:05}"): 1 for number in range(9_000)}
    entered = await rooms.enter("den", TURN, EntryMode.CHECKED, many, await seen(rooms))
    assert isinstance(entered, Admitted)
    assert entered.is_in == (True,) * len(many)


async def test_a_request_that_comes_after_a_later_count_of_its_node_changes_nothing(
    rooms: RoomStore,
) -> None:
    await rooms.add("den", "ann", "", 0, await seen(rooms))
    assert await rooms.count("den", Turn("n1", 3), {ANN: 0}, listens=True)  # others are asking
    late = [(EntryMode.GRANTED, ANN), (EntryMode.CHECKED, GUEST), (EntryMode.AGAIN, ANN)]
    for mode, member in late:
        entered = await rooms.enter("den", Turn("n1", 2), mode, {member: 1}, await seen(rooms))
        assert entered == Overtaken()
    assert isinstance(
        await rooms.enter("den", Turn("n1", 4), EntryMode.GRANTED, {ANN: 1}), Admitted
    )
    assert await rooms.count("den", Turn("n1", 6), {ANN: 1}, listens=True)
    assert not await rooms.count("den", Turn("n1", 5), {ANN: 3}, listens=True)
    assert await rooms.enter("den", Turn("n1", 5), EntryMode.AGAIN, {ANN: 3}) == Overtaken()
    assert await rooms.present("den") == [Present("ann", "", 1)]
    assert await rooms.count("den", Turn("n1", 8), {ANN: 0}, listens=False)
    for mode, member in late:
        entered = await rooms.enter("den", Turn("n1", 7), mode, {member: 1}, await seen(rooms))
        assert entered == Overtaken()
    sent = await rooms.publish("den", b"box", "", "")
    assert (await rooms.present("den"), isinstance(sent, Sent) and sent.nodes) == ([], [])
    other = await rooms.enter("den", Turn("n2", 1), EntryMode.GRANTED, {TAB: 1})
    assert isinstance(other, Admitted)


async def test_a_request_from_before_a_room_was_deleted_changes_nothing_in_the_next_one(
    rooms: RoomStore,
) -> None:
    async def enter(turn: int) -> object:
        checked = EntryMode.CHECKED
        return await rooms.enter("den", Turn("n1", turn), checked, {ANN: 1}, await seen(rooms))

    await enter(1)
    await rooms.count("den", Turn("n1", 3), {ANN: 1}, listens=True)
    await rooms.delete("den")
    await rooms.create("den", "e2", RoomOptions())
    assert await enter(2) == Overtaken()
    await rooms.delete("den")
    await rooms.count("den", Turn("n1", 5), {ANN: 0}, listens=False)
    await rooms.create("den", "e3", RoomOptions())
    assert await enter(4) == Overtaken()
    await enter(6)
    await rooms.publish("den", b"box", "", "")
    told = [(each.epoch, each.number) for each in await entries(rooms)]
    assert [each for each in told if each[0] == "e3"] == [("e3", 1)]


async def test_messages_that_are_too_old_are_not_kept(rooms: RoomStore) -> None:
    await rooms.create("den", "e1", RoomOptions(keep_for=timedelta(milliseconds=60)))
    await rooms.publish("den", b"1", "", "")
    await asyncio.sleep(0.08)
    await rooms.publish("den", b"2", "", "")
    kept = await rooms.kept("den", 0)
    assert isinstance(kept, Kept)
    assert (kept.latest, kept.messages) == (2, [(2, b"2")])
    await rooms.create("den", "e1", RoomOptions())
    kept = await rooms.kept("den", 0)
    assert isinstance(kept, Kept)
    assert (kept.latest, kept.messages) == (2, [])


async def test_of_large_messages_only_the_latest_are_returned(rooms: RoomStore) -> None:
    await rooms.create("den", "e1", RoomOptions(keep=100))
    for _ in range(40):
        await rooms.publish("den", b"x" * (KEPT_BYTES // 20), "", "")
    for after, first in ((0, 21), (30, 31), (40, 41), (10**19, 41)):
        kept = await rooms.kept("den", after)
        assert isinstance(kept, Kept)
        assert [number for number, _ in kept.messages] == list(range(first, 41))


async def test_sessions_that_have_lapsed_make_room_for_others(
    rooms: RoomStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (room_store, room_memory):
        monkeypatch.setattr(module, "MAX_MEMBERS", 1)
    assert await rooms.add("den", "ann", ANN.sid, 20, await seen(rooms)) is None
    assert await rooms.add("den", "bob", "", 0, await seen(rooms)) is RoomRefusal.TOO_MANY_MEMBERS
    await asyncio.sleep(0.03)
    assert await rooms.add("den", "bob", "", 0, await seen(rooms)) is None
