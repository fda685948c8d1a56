"""What a signed-in socket says and hears, as the protocol has it."""

import json
import time
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from tests.support.clients.client import PASSWORD
from tests.support.clients.people import People, until_sockets, user_of
from tests.support.clients.sockets import end_of, frame, frames_of
from tests.support.running.waiting import until


async def test_hello_is_the_first_frame_and_has_exactly_the_fields_of_the_protocol(
    people: People,
) -> None:
    client = await people.somebody()
    async with client.open_socket() as socket:
        hello = json.loads(await socket.recv())
    told = (await client.request("GET", "/api/session")).json()["session"]
    assert hello.keys() == {
        "type",
        "connection",
        "session",
        "now",
        "idle_expires_at",
        "absolute_expires_at",
        "retry",
    }
    assert hello["type"] == "hello"
    assert hello["session"] == {"id": told["id"], "user": told["user"], "generation": 1}
    assert abs(hello["now"] - time.time()) < 5
    assert hello["idle_expires_at"] == told["idle_expires_at"]
    assert hello["absolute_expires_at"] == told["absolute_expires_at"]
    assert 0 < hello["retry"]["min_ms"] < hello["retry"]["max_ms"]
    assert len(hello["connection"]) >= 8


async def test_every_socket_has_a_name_of_its_own(people: People) -> None:
    client = await people.somebody()
    async with client.open_socket() as one, client.open_socket() as two:
        names = {(await frame(each, "hello"))["connection"] for each in (one, two)}
    assert len(names) == 2


async def test_a_visitor_with_data_has_a_socket_without_a_user(people: People) -> None:
    visitor = await people.visitor()
    await visitor.request("PATCH", "/api/session/data", {"basket": 1})
    async with visitor.open_socket() as socket:
        assert (await frame(socket, "hello"))["session"]["user"] is None


async def test_ping_is_answered_with_pong(people: People) -> None:
    client = await people.somebody()
    async with client.open_socket() as socket:
        await socket.send('{"type":"ping"}')
        assert await frame(socket, "pong") == {"type": "pong"}


@pytest.mark.proves("A54")
async def test_a_message_reaches_all_other_sockets_of_the_user_once_and_no_one_else(
    people: People,
) -> None:
    client = await people.somebody()
    same_session, other_session = client, await people.again(client)
    stranger = await people.somebody()
    async with (
        client.open_socket() as sender,
        same_session.open_socket() as tab,
        other_session.open_socket() as device,
        stranger.open_socket() as foreign,
    ):
        name = (await frame(sender, "hello"))["connection"]
        for each in (tab, device, foreign):
            await frame(each, "hello")
        data = {"text": "grüß dich 🌙", "n": [1, None, True, 2.5]}
        await sender.send(json.dumps({"type": "message", "data": data}))
        expected = [{"type": "message", "from": name, "data": data}]
        assert await messages(tab) == expected
        assert await messages(device) == expected
        assert await messages(sender) == []
        assert await messages(foreign) == []


async def test_messages_of_one_socket_arrive_in_the_order_they_were_sent(people: People) -> None:
    client = await people.somebody()
    async with client.open_socket() as sender, client.open_socket() as tab:
        await frame(tab, "hello")
        for number in range(90):
            await sender.send(json.dumps({"type": "message", "data": number}))
        received = [(await frame(tab, "message"))["data"] for _ in range(90)]
    assert received == list(range(90))


@pytest.mark.proves("A54")
async def test_a_visitors_message_goes_nowhere(people: People) -> None:
    one, two = await people.visitor(), await people.visitor()
    for each in (one, two):
        await each.request("PATCH", "/api/session/data", {"basket": 1})
    async with one.open_socket() as sender, two.open_socket() as foreign:
        await frame(foreign, "hello")
        await sender.send('{"type":"message","data":1}')
        assert await messages(foreign) == []


@pytest.mark.proves("A56", "3.3.4")
async def test_open_sockets_are_told_of_a_rotation_and_of_nothing_secret(people: People) -> None:
    client = await people.somebody()
    async with client.open_socket() as one, client.open_socket() as two:
        for each in (one, two):
            await frame(each, "hello")
        answer = await client.request("POST", "/api/session/rotate")
        assert answer.json() == {"generation": 2}
        for each in (one, two):
            assert await frame(each, "rotated") == {"type": "rotated", "generation": 2}


@pytest.mark.proves("A46", "A27b")
async def test_a_socket_outlives_the_token_it_was_opened_with_but_not_its_session(
    people: People,
) -> None:
    client = await people.somebody()
    async with client.open_socket() as socket, client.open_socket() as tab:
        for each in (socket, tab):
            await frame(each, "hello")
        for _ in range(2):
            await client.request("POST", "/api/session/rotate")
            await client.request("GET", "/api/session")
        await socket.send('{"type":"message","data":1}')
        assert (await frame(tab, "message"))["data"] == 1
        await client.request("POST", "/api/logout")
        assert (await end_of(socket)).reason == (await end_of(tab)).reason == "logout"


@pytest.mark.proves("A56", "3.3.4")
async def test_no_frame_and_no_close_frame_holds_anything_secret(people: People) -> None:
    client = await people.somebody()
    secrets = {client.csrf_token, PASSWORD}
    async with client.open_socket() as socket:
        for _ in range(2):
            secrets |= {client.cookie, *client.cookie.split("|"), *client.cookie.split(".")}
            await client.request("POST", "/api/session/rotate")
        other = await people.again(client)
        secrets |= {other.cookie, other.csrf_token}
        async with other.open_socket() as sender:
            await frame(sender, "hello")
            await sender.send('{"type":"message","data":1}')
            await sender.send("rubbish")
            await frame(sender, "error")
        await client.request("POST", "/api/logout")
        end = await end_of(socket)
    kinds = {each["type"] for each in end.frames}
    assert {"hello", "rotated", "sessions", "message", "ended"} <= kinds
    told = json.dumps(end.frames)
    assert [each for each in secrets if len(each) > 8 and each in told] == []
    assert len((end.reason or "").encode()) <= 123


@pytest.mark.proves("A54")
async def test_a_rotation_is_told_to_the_session_that_rotated_only(people: People) -> None:
    client = await people.somebody()
    other = await people.again(client)
    async with other.open_socket() as socket:
        await frame(socket, "hello")
        await client.request("POST", "/api/session/rotate")
        assert "rotated" not in {each["type"] for each in await frames_of(socket)}


@pytest.mark.proves("6.3.5", "6.3.7")
async def test_a_sign_in_elsewhere_is_told_on_open_sockets_and_can_be_looked_up(
    people: People,
) -> None:
    client = await people.somebody()
    async with client.open_socket() as socket:
        await frames_of(socket)
        stranger = await people.visitor()
        stranger.http.headers["User-Agent"] = "Mozilla/5.0 Firefox/140.0"
        await stranger.sign_in(await user_of(client))
        assert await frame(socket, "sessions") == {"type": "sessions"}
        listed = (await client.request("GET", "/api/sessions")).json()["sessions"]
        assert {(each["device"], each["current"]) for each in listed} >= {("Firefox", False)}

        async def is_in_the_activity() -> bool:
            entries = (await client.request("GET", "/api/activity")).json()["activity"]
            return ("authn_login_success", "Firefox") in {
                (each["event"], each["device"]) for each in entries
            }

        await until(is_in_the_activity)


async def test_the_list_of_sessions_is_announced_whenever_it_changed(people: People) -> None:
    client = await people.somebody()
    stranger = await people.somebody()
    async with client.open_socket() as socket, stranger.open_socket() as foreign:
        await frames_of(socket)
        await frames_of(foreign)

        other = await people.again(client)
        assert await frame(socket, "sessions") == {"type": "sessions"}
        await frames_of(socket)

        async with other.open_socket() as opened:
            await frame(opened, "hello")
            await frame(socket, "sessions")
            await frames_of(socket)
        await frame(socket, "sessions")
        await frames_of(socket)

        await other.request("POST", "/api/logout")
        await frame(socket, "sessions")

        assert await frames_of(foreign) == []


async def test_the_list_counts_open_sockets(people: People) -> None:
    client = await people.somebody()
    async with client.open_socket() as one, client.open_socket() as two:
        for each in (one, two):
            await frame(each, "hello")
        await until_sockets(client, 2)
        await two.close()
        await until_sockets(client, 1)
    await until_sockets(client, 0)


async def test_a_name_typed_in_capitals_is_told_in_its_one_form(people: People) -> None:
    client = await people.somebody()
    user = await user_of(client)
    other = await (await people.visitor()).sign_in(user.upper())
    async with other.open_socket() as socket:
        assert (await frame(socket, "hello"))["session"]["user"] == user


async def messages(socket: ClientConnection) -> list[dict[str, Any]]:
    """The messages among everything that comes within a while."""
    return [each for each in await frames_of(socket) if each["type"] == "message"]
