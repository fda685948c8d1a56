"""Rooms over two processes: what is published reaches who is in, and nobody else."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from tests.support.clients.client import Client, frame
from tests.support.clients.people import People, user_of
from tests.support.clients.sockets import frames_of
from tests.support.servers.server import ROOT, CurfewServer

SOCKETS = 6
"""So many that both processes have some."""


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    script = ROOT / "tests" / "support" / "servers" / "rooms.py"
    with CurfewServer(script=script, processes="2") as running:
        yield running


@pytest.fixture
async def sockets() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def do(client: Client, method: str, **given: Any) -> dict[str, Any]:
    """Call a method of `rooms` in one of the processes."""
    answer = await client.request("POST", f"/do/{method}", given)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def open_some(
    client: Client, stack: AsyncExitStack, number: int = SOCKETS, path: str = "/ws/game"
) -> list[ClientConnection]:
    """Open sockets, and wait for the `hello` of each."""
    found = [await stack.enter_async_context(client.open_socket(path=path)) for _ in range(number)]
    for each in found:
        await frame(each, "hello")
    return found


async def say(socket: ClientConnection, **fields: Any) -> None:
    """Send a frame."""
    await socket.send(json.dumps(fields))


async def test_a_room_reaches_its_members_on_every_process_and_a_removed_one_no_more(
    people: People, sockets: AsyncExitStack
) -> None:
    ann, bob = await people.somebody(), await people.somebody()
    anns, bobs = await open_some(ann, sockets), await open_some(bob, sockets, 2)
    assert await do(ann, "create", room="den") == {}
    assert await do(ann, "add", room="den", user=await user_of(ann)) == {}
    for each in anns:
        assert (await frame(each, "joined"))["room"] == "den"
    first = await do(bob, "publish", to={"room": "den"}, data={"n": 1})
    for each in anns:
        told = await frame(each, "published")
        assert told == {
            "type": "published", "room": "den", "position": first["position"], "data": {"n": 1},
        }  # fmt: skip

    later = (await open_some(ann, sockets, 1))[0]
    assert (await frame(later, "joined"))["position"] == first["position"]

    assert await do(bob, "remove", room="den", user=await user_of(ann)) == {}
    await do(bob, "publish", to={"room": "den"}, data={"n": 2})
    for each in [*anns, later]:
        kinds = [told["type"] for told in await frames_of(each)]
        assert "published" not in kinds
        assert "left" in kinds
    for each in bobs:
        assert not [told for told in await frames_of(each) if "room" in told]


async def test_a_client_joins_by_request_if_the_application_says_so_and_leaves(
    people: People, sockets: AsyncExitStack
) -> None:
    ann = await people.somebody()
    (here,) = await open_some(ann, sockets, 1)
    for room in ("open", "closed"):
        await do(ann, "create", room=room)
        await say(here, type="join", room=room)
    assert (await frame(here, "joined"))["room"] == "open"
    assert (await frame(here, "error"))["code"] == "not_a_member"
    await do(ann, "publish", to={"room": "open"}, data=1)
    assert (await frame(here, "published"))["data"] == 1

    await say(here, type="leave", room="open")
    assert (await frame(here, "left"))["reason"] == "left"
    await do(ann, "publish", to={"room": "open"}, data=2)
    assert "published" not in {told["type"] for told in await frames_of(here)}

    await say(here, type="join", room="open")
    await frame(here, "joined")
    await do(ann, "remove", room="open", session=await session_of(ann))
    assert (await frame(here, "left"))["reason"] == "removed"
    assert await do(ann, "delete", room="open") == {}
    assert await do(ann, "publish", to={"room": "open"}, data=3) == {"refused": "unknown_room"}


async def session_of(client: Client) -> str:
    """The id of the client's session."""
    told = (await client.request("GET", "/api/session")).json()
    return str(told["session"]["id"])


async def test_presence_says_who_comes_with_how_many_tabs_and_who_goes(
    people: People, sockets: AsyncExitStack
) -> None:
    ann, bob = await people.somebody(), await people.somebody()
    names = [await user_of(ann), await user_of(bob)]
    await do(ann, "create", room="open porch", presence=True)
    (watching,) = await open_some(ann, sockets, 1)
    await say(watching, type="join", room="open porch")
    await frame(watching, "joined")
    async with AsyncExitStack() as tabs:
        for each in await open_some(bob, tabs, 3):
            await say(each, type="join", room="open porch")
            await frame(each, "joined")
        told = await frame(watching, "presence")
        assert (told["user"], told["change"]) == (names[1], "come")
        people_in = await do(bob, "presence", room="open porch")
        assert sorted(people_in["people"]) == sorted([[names[0], 1], [names[1], 3]])
        await say(watching, type="presence", room="open porch")
        present = (await frame(watching, "present"))["people"]
        assert {(each["user"], each["sockets"]) for each in present} == {
            (names[0], 1),
            (names[1], 3),
        }
    told = await frame(watching, "presence")
    assert (told["user"], told["change"]) == (names[1], "gone")


async def test_clients_acknowledge_within_a_time(people: People, sockets: AsyncExitStack) -> None:
    ann = await people.somebody()
    some = await open_some(ann, sockets, 4)
    publishing = asyncio.create_task(
        do(ann, "publish", to={"user": await user_of(ann)}, data="?", ack_within=1.5)
    )
    for number, each in enumerate(some):
        ack = (await frame(each, "published"))["ack"]
        if number < 3:
            await say(each, type="ack", id=ack)
            await say(each, type="ack", id=ack)
            assert (await frame(each, "error"))["code"] == "unknown_ack"
    assert len((await publishing)["acknowledged"]) == 3


async def test_what_was_missed_is_replayed_in_order_or_said_to_be_too_far_behind(
    people: People, sockets: AsyncExitStack
) -> None:
    ann = await people.somebody()
    await do(ann, "create", room="open log", keep=3)
    asking = {"type": "join", "room": "open log"}
    here, there, behind = await open_some(ann, sockets, 3, path="/ws/game?rooms=asked")
    await say(here, **asking)
    start = (await frame(here, "joined"))["position"]
    for number in range(3):
        await do(ann, "publish", to={"room": "open log"}, data=number)
    await say(there, **asking, after=start)
    assert [(await frame(there, "published"))["data"] for _ in range(3)] == [0, 1, 2]
    assert (await frame(there, "replayed"))["complete"] is True
    await do(ann, "publish", to={"room": "open log"}, data=3)
    assert (await frame(there, "published"))["data"] == 3
    await say(behind, **asking, after=start)
    assert [(await frame(behind, "published"))["data"] for _ in range(3)] == [1, 2, 3]
    assert (await frame(behind, "replayed"))["complete"] is False
    await say(behind, type="leave", room="open log")
    await frame(behind, "left")
    await say(behind, **asking, after="another.life")
    assert (await frame(behind, "replayed"))["complete"] is False


async def test_users_sessions_and_sockets_are_reached_and_no_session_that_has_ended(
    people: People, sockets: AsyncExitStack
) -> None:
    ann = await people.somebody()
    again = await people.again(ann)
    here, tab = await open_some(ann, sockets, 2)
    (there,) = await open_some(again, sockets, 1)
    sid = await session_of(ann)
    await do(again, "publish", to={"user": await user_of(ann)}, data="user")
    for each in (here, tab, there):
        assert (await frame(each, "published"))["data"] == "user"
    await do(again, "publish", to={"session": sid}, data="session")
    for each in (here, tab):
        assert (await frame(each, "published"))["data"] == "session"
    assert "published" not in {told["type"] for told in await frames_of(there)}
    await ann.request("POST", "/api/logout", {})
    assert await do(again, "publish", to={"session": sid}, data=1) == {"refused": "session_ended"}
    assert await do(again, "add", room="den", session=sid) == {"refused": "session_ended"}


async def test_no_room_has_a_name_that_is_no_text(people: People) -> None:
    ann = await people.visitor()
    bad: tuple[Any, ...] = ("", "a" * 201, "ä" * 101, "\x00", "a\nb", "\x7f", 5, None, ["den"], {})
    for name in bad:
        assert await do(ann, "create", room=name) == {"refused": "bad_room"}
        assert await do(ann, "publish", to={"room": name}, data=1) == {"refused": "bad_room"}


async def test_bad_input_is_refused_with_a_word(people: People, sockets: AsyncExitStack) -> None:
    ann = await people.somebody()
    (here,) = await open_some(ann, sockets, 1)
    await do(ann, "create", room="ö {}*:\u2028"[:5])
    to = {"to": {"room": "den"}}
    assert await do(ann, "publish", **to, size=10_000_000) == {"refused": "too_large"}
    unknown = {"refused": "unknown_room"}
    assert await do(ann, "presence", room="nowhere") == unknown
    assert await do(ann, "add", room="nowhere", user="ann") == unknown
    assert await do(ann, "add", room="den", user="a b") == {"refused": "bad_member"}
    assert await do(ann, "add", room="den") == {"refused": "bad_member"}
    frames: list[tuple[dict[str, Any], str]] = [
        ({"type": "join", "room": 5}, "bad_room"),
        ({"type": "join"}, "bad_fields"),
        ({"type": "join", "room": "nowhere"}, "unknown_room"),
        ({"type": "leave", "room": "nowhere"}, "not_a_member"),
        ({"type": "presence", "room": "den"}, "not_a_member"),
        ({"type": "ack", "id": []}, "unknown_ack"),
    ]
    for fields, code in frames:
        await say(here, **fields)
        assert (await frame(here, "error"))["code"] == code
