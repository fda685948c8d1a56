"""What a client missed in a room: it comes first, in order, once; or the client is told so."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from server.core.errors import StoreUnavailable
from server.core.rooms import RoomOptions
from server.realtime import room_requests
from server.store.room_contract import Kept
from tests.support.engine.in_rooms import A_WHILE, ROOM, InRooms, codes, heard, store_of, told
from tests.support.engine.memory_node import Client
from tests.support.engine.virtual_time import on_virtual_time, settle


async def missed(here: InRooms, kept: Callable[..., Awaitable[Any]]) -> Client:
    """Let somebody join who missed two messages, while the store answers in another way.

    Args:
        here: where.
        kept: asks the store for the messages, in place of the store's own; it gets that too.
    """
    await here.start(RoomOptions(keep=5))
    here.doors.known.add("ann")
    ann, again = await here.arrive(), await here.arrive()
    await here.join(ann)
    start = told(ann, "joined")[0]["position"]
    for number in (1, 2):
        await here.publish(number)
    store = store_of(here)
    store.kept = partial(kept, store.kept)
    await here.join(again, f',"after":"{start}"')
    await here.publish("live")
    return again


@on_virtual_time
async def test_if_the_store_does_not_say_what_was_missed_the_client_is_told_so() -> None:
    async def kept(*_: Any) -> Kept:
        raise StoreUnavailable("kept")

    here = InRooms()
    again = await missed(here, kept)
    assert heard(again) == ["live"]
    assert told(again, "replayed")[0]["complete"] is False


@on_virtual_time
async def test_what_another_life_of_the_room_has_kept_is_not_replayed() -> None:
    async def kept(ask: Callable[..., Awaitable[Kept]], *asked: Any) -> Kept:
        return replace(await ask(*asked), epoch="another")

    again = await missed(InRooms(), kept)
    assert heard(again) == ["live"]
    assert told(again, "replayed")[0]["complete"] is False


@on_virtual_time
async def test_what_comes_while_the_missed_is_read_comes_behind_it_and_once() -> None:
    here = InRooms()

    async def kept(ask: Callable[..., Awaitable[Kept]], *asked: Any) -> Kept:
        await here.publish("meanwhile")
        return await ask(*asked)

    assert heard(await missed(here, kept)) == [1, 2, "meanwhile", "live"]


@on_virtual_time
async def test_a_message_that_does_not_open_and_all_before_it_are_not_replayed() -> None:
    async def kept(ask: Callable[..., Awaitable[Kept]], *asked: Any) -> Kept:
        found = await ask(*asked)
        (first, _), second = found.messages
        return replace(found, messages=[(first, b"forged"), second])

    again = await missed(InRooms(), kept)
    assert heard(again) == [2, "live"]
    assert told(again, "replayed")[0]["complete"] is False


@on_virtual_time
async def test_more_than_may_be_replayed_is_cut_at_the_old_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def kept(ask: Callable[..., Awaitable[Kept]], *asked: Any) -> Kept:
        found = await ask(*asked)
        monkeypatch.setattr(room_requests, "REPLAYED_BYTES", len(found.messages[0][1]) + 5)
        return found

    again = await missed(InRooms(), kept)
    assert heard(again) == [2, "live"]
    assert told(again, "replayed")[0]["complete"] is False


@on_virtual_time
async def test_who_is_removed_while_the_missed_is_read_gets_nothing_of_it() -> None:
    here = InRooms()

    async def kept(ask: Callable[..., Awaitable[Kept]], *asked: Any) -> Kept:
        await here.publish("meanwhile")
        await here.rooms.remove(ROOM, user="ann")
        await asyncio.sleep(A_WHILE)
        return await ask(*asked)

    again = await missed(here, kept)
    assert (heard(again), told(again, "replayed")) == ([], [])
    assert told(again, "left")[0]["reason"] == "removed"


@on_virtual_time
async def test_a_replay_that_fails_leaves_the_socket_in_the_room() -> None:
    async def kept(*_: Any) -> Kept:
        raise ZeroDivisionError

    here = InRooms()
    again = await missed(here, kept)
    assert codes(again) == [("internal", None)]
    assert heard(again) == ["live"]


@on_virtual_time
async def test_a_place_that_the_room_has_not_reached_is_not_one_behind_which_all_is_known() -> None:
    here = InRooms()
    await here.start(RoomOptions(keep=5))
    here.doors.known.add("ann")
    client = await here.arrive()
    await here.publish(1)
    await here.join(client)
    beyond = told(client, "joined")[0]["position"].replace(".1", ".7")
    await here.say(client, f'{{"type":"leave","room":"{ROOM}"}}')
    await here.join(client, f',"after":"{beyond}"')
    assert (heard(client), told(client, "replayed")[0]["complete"]) == ([], False)


@on_virtual_time
async def test_while_a_server_takes_over_a_room_is_told_of_by_its_former_place() -> None:
    here = InRooms()
    await here.start(RoomOptions(keep=5))
    here.doors.known.add("ann")
    client = await here.arrive()
    await here.join(client)
    await here.publish(1)
    here.nodes[0].engine.socket_dependencies.rooms._here.histories[0] = "another"
    await client.socket.receive(f'{{"type":"join","room":"{ROOM}"}}')
    await settle()
    before, again = told(client, "published")[-1], told(client, "joined")[-1]
    assert again["position"] == before["position"]
