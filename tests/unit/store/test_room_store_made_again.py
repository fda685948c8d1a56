"""A room that was deleted and made again: what was asked about the former one changes nothing."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import redis
from redis.asyncio import Redis

from server.core.rooms import EntryMode, Member, RemovedMeanwhile, RoomOptions, RoomRefusal
from server.store.names import ShardNames
from server.store.room_contract import Turn
from server.store.room_inbox import RoomInbox
from server.store.room_store import RedisRoomStore
from server.store.scripts import Scripts

ANN = Member("ann", "00a")
OPTIONS = RoomOptions(presence=True, keep=2)

Call = tuple[str, Sequence[str], Sequence[Any]]


class Recorded(Scripts):
    """Scripts that keep what they were asked to run.

    Attributes:
        calls: the name of each script, its keys and its arguments.
    """

    def __init__(self, client: Redis) -> None:
        super().__init__(client)
        self.calls: list[Call] = []

    async def run(self, name: str, keys: Any, args: Any, **how: Any) -> Any:
        """See `Scripts`."""
        self.calls.append((name, keys, args))
        return await super().run(name, keys, args, **how)


@pytest.fixture
async def rooms(client: Redis) -> RedisRoomStore:
    inbox = RoomInbox(client, "n1", 1, timedelta(milliseconds=1))
    rooms = RedisRoomStore(client, Recorded(client), [inbox], 1)
    await client.zadd(ShardNames(0).nodes, {"n1": 1.0})
    await rooms.create("den", "e1", OPTIONS)
    return rooms


async def seen(rooms: RedisRoomStore) -> int:
    """How often somebody was removed, as who asks for something has seen it."""
    found = await rooms.removals("den")
    assert not isinstance(found, RoomRefusal)
    return found


async def lived(rooms: RedisRoomStore) -> list[Call]:
    """Let a life of the room pass; return all that was asked about it."""
    scripts = rooms._scripts
    assert isinstance(scripts, Recorded)
    scripts.calls.clear()
    await rooms.enter("den", Turn("n1", 1), EntryMode.CHECKED, {ANN: 1}, await seen(rooms))
    for user in ("ann", "bob"):
        await rooms.add("den", user, "", 0, await seen(rooms))
    await rooms.count("den", Turn("n1", 2), {ANN: 0}, listens=False)
    await rooms.remove("den", "bob", "")
    await rooms.delete("den")
    return list(scripts.calls)


def kept_by(store: redis.Redis) -> dict[Any, Any]:
    """All that the store has."""
    return {key: store.dump(key) for key in store.scan_iter("*")}


async def test_what_was_asked_about_the_former_room_changes_nothing_in_the_next_one(
    rooms: RedisRoomStore, raw: redis.Redis
) -> None:
    late = await lived(rooms)
    assert {name for name, *_ in late} == {
        "room_enter", "room_index", "room_add", "room_count", "room_remove", "room_forget",
        "room_delete",
    }  # fmt: skip
    await rooms.create("den", "e2", OPTIONS)
    for user in ("bob", "cid"):
        assert await rooms.add("den", user, "", 0, await seen(rooms)) is None
    before = kept_by(raw)
    for call in [*late, *reversed(late)]:
        await rooms._scripts.run(*call)
        assert kept_by(raw) == before, call[0]


async def test_a_check_and_an_addition_of_the_former_room_are_void_in_the_next_one(
    rooms: RedisRoomStore,
) -> None:
    before = await seen(rooms)
    await rooms.delete("den")
    await rooms.create("den", "e2", OPTIONS)
    entered = await rooms.enter("den", Turn("n1", 1), EntryMode.CHECKED, {ANN: 1}, before)
    assert entered == RemovedMeanwhile()
    assert await rooms.add("den", "ann", "", 0, before) == RemovedMeanwhile()


async def test_whoever_waits_for_a_removal_gets_it_in_the_room_as_it_is_now(
    rooms: RedisRoomStore, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    hgetall, is_first = client.hgetall, True

    async def find_and_make_again(name: Any) -> Any:
        nonlocal is_first
        found = await hgetall(name)
        if is_first:
            is_first = False
            await rooms.delete("den")
            await rooms.create("den", "e2", OPTIONS)
            await rooms.add("den", "ann", "", 0, await seen(rooms))
        return found

    monkeypatch.setattr(client, "hgetall", find_and_make_again)
    assert await rooms.remove("den", "ann", "") is None
    entered = await rooms.enter("den", Turn("n1", 1), EntryMode.GRANTED, {ANN: 1})
    assert getattr(entered, "is_in", None) == (False,)


async def test_a_room_that_goes_while_it_is_being_deleted_is_deleted(
    rooms: RedisRoomStore, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    hgetall = client.hgetall

    async def find_and_delete(name: Any) -> Any:
        found = await hgetall(name)
        await client.delete(name)  # by another one, or by a try whose reply was lost
        return found

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(client, "hgetall", find_and_delete)
        assert await rooms.delete("den") is None
    assert await rooms.delete("den") is RoomRefusal.UNKNOWN


async def test_a_number_of_removals_is_whole_however_it_is_read(
    rooms: RedisRoomStore, client: Redis
) -> None:
    """Some servers write a large number that a script gives them as 1.8e+15."""
    key = rooms._key("den")
    await client.hset(key, "removals", "1799999999999999")
    assert await rooms.remove("den", "ann", "") is None
    assert await seen(rooms) == 1_800_000_000_000_000
    assert await rooms.add("den", "ann", "", 0, 1_800_000_000_000_000) is None
