"""Acknowledgements: collected on the node of the clients, and passed on to the publisher's."""

import asyncio

import pytest

from server.core.errors import StoreUnavailable
from server.core.rooms import Published, Target, ToRoom, ToSession, ToSocket, ToUser
from server.realtime import acknowledging
from tests.support.engine.in_rooms import ROOM, InRooms, codes, store_of, told
from tests.support.engine.memory_node import Client
from tests.support.engine.virtual_time import on_virtual_time


@on_virtual_time
async def test_a_publisher_hears_of_clients_on_all_nodes_within_its_time() -> None:
    here = InRooms()
    await here.start()
    live = await here.nodes[0].sign_in()
    near, far, silent = await here.open(live), await here.open(live, 1), await here.open(live, 1)
    publishing = asyncio.ensure_future(here.publish("?", ToSession(live.session.sid), within=2.0))
    await asyncio.sleep(0.5)
    for client in (near, far, far):
        mark = told(client, "published")[0]["ack"]
        await here.say(client, f'{{"type":"ack","id":"{mark}"}}')
    sent = await publishing
    assert isinstance(sent, Published)
    assert set(sent.acknowledged) == {near.socket.id, far.socket.id}
    assert told(far, "error")[0]["code"] == "unknown_ack"
    assert told(silent, "error") == []


async def acknowledge(*clients: Client) -> None:
    """Acknowledge the latest that the clients got."""
    for client in clients:
        mark = told(client, "published")[-1]["ack"]
        await client.socket.receive(f'{{"type":"ack","id":"{mark}"}}')


@on_virtual_time
async def test_a_publisher_waits_no_longer_than_until_all_have_acknowledged() -> None:
    here = InRooms()
    await here.start()
    await here.rooms.add(ROOM, user="ann")
    live = await here.nodes[0].sign_in()
    near, far = await here.open(live), await here.open(live, 1)
    sid, loop = live.session.sid, asyncio.get_running_loop()
    targets: dict[Target, list[Client]] = {
        ToRoom(ROOM): [near, far],
        ToUser("ann"): [near, far],
        ToSession(sid): [near, far],
        ToSocket(sid, far.socket.id): [far],
        ToUser("nobody"): [],
    }
    for to, clients in targets.items():
        before = loop.time()
        publishing = asyncio.ensure_future(here.publish("?", to, within=60.0))
        await asyncio.sleep(1)
        await acknowledge(*clients)
        sent = await publishing
        assert isinstance(sent, Published)
        assert set(sent.acknowledged) == {each.socket.id for each in clients}
        assert loop.time() - before < 3


@on_virtual_time
async def test_a_publisher_that_cannot_hear_of_all_nodes_waits_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = InRooms()
    await here.start()
    ann = await here.arrive()

    async def lists() -> None:
        raise StoreUnavailable("lists")

    monkeypatch.setattr(here.rooms._registry, "lists", lists)
    before = asyncio.get_running_loop().time()
    publishing = asyncio.ensure_future(here.publish("?", ToUser("ann"), within=5.0))
    await asyncio.sleep(1)
    await acknowledge(ann)
    sent = await publishing
    assert isinstance(sent, Published)
    assert sent.acknowledged == (ann.socket.id,)
    assert asyncio.get_running_loop().time() - before >= 5


@on_virtual_time
async def test_what_a_publisher_does_not_hear_of_costs_the_client_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = InRooms()
    await here.start()
    far = await here.arrive("ann", 1)

    async def acknowledge_never(*_: object) -> None:
        raise StoreUnavailable("acknowledge")

    monkeypatch.setattr(store_of(here, 1), "acknowledge", acknowledge_never)
    publishing = asyncio.ensure_future(here.publish("?", ToUser("ann"), within=2.0))
    await asyncio.sleep(1)
    await acknowledge(far)
    assert await publishing == Published()
    assert told(far, "error") == []


@on_virtual_time
async def test_the_oldest_publications_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    here = InRooms()
    await here.start()
    ann = await here.arrive()
    monkeypatch.setattr(acknowledging, "MAX_EXPECTED", 1)
    publishing = [
        asyncio.ensure_future(here.publish(number, ToUser("ann"), within=2.0))
        for number in range(2)
    ]
    await asyncio.sleep(1)
    for frame in told(ann, "published"):
        await ann.socket.receive(f'{{"type":"ack","id":"{frame["ack"]}"}}')
    got = [await each for each in publishing]
    assert [bool(each.acknowledged) for each in got if isinstance(each, Published)] == [False, True]
    assert codes(ann) == [("unknown_ack", None)]
