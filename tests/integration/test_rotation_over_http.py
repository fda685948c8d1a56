"""Rotation as clients see it, over HTTP and on open sockets."""

import json
import time
from collections.abc import Iterator

import pytest

from tests.support.clients.client import Client, frame, set_cookie
from tests.support.clients.sockets import end_of
from tests.support.running.waiting import until
from tests.support.servers.server import CurfewServer

GRACE_SECONDS = 1


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    with CurfewServer(rotation_grace=f"{GRACE_SECONDS}s", processes="2") as running:
        yield running


async def test_a_request_for_rotation_hands_out_the_next_generation(server: CurfewServer) -> None:
    async with Client(server.url) as ann:
        await ann.sign_up("ann")
        for generation in range(2, 26):
            answer = await ann.request("POST", "/api/session/rotate")
            assert (answer.status_code, answer.json()) == (200, {"generation": generation})
        session = (await ann.request("GET", "/api/session")).json()["session"]
        assert session["generation"] == 25
        assert session["absolute_expires_at"] == session["created_at"] + 12 * 3600


@pytest.mark.proves("A17")
async def test_a_previous_token_is_served_but_given_no_cookie(server: CurfewServer) -> None:
    async with Client(server.url) as bob:
        await bob.sign_up("bob")
        previous = bob.cookie
        await bob.request("POST", "/api/session/rotate")
        await bob.request("GET", "/api/session")
        bob.cookie = previous
        answer = await bob.request("POST", "/api/session/rotate")
        assert (answer.status_code, answer.json()) == (200, {"generation": 2})
        assert set_cookie(answer) is None


@pytest.mark.proves("A18")
async def test_an_older_token_after_the_grace_ends_the_session_everywhere(
    server: CurfewServer,
) -> None:
    async with Client(server.url) as eve, Client(server.url) as thief:
        await eve.sign_up("eve")
        thief.cookie = eve.cookie
        async with eve.open_socket() as socket:
            await frame(socket, "hello")
            await eve.request("POST", "/api/session/rotate")
            assert (await frame(socket, "rotated"))["generation"] == 2
            await eve.request("GET", "/api/session")
            while (await thief.request("GET", "/api/session")).status_code == 200:
                pass
            assert (await frame(socket, "ended"))["reason"] == "token_reuse"
            await socket.wait_closed()
            assert (socket.close_code, socket.close_reason) == (4401, "token_reuse")
        answer = await eve.request("GET", "/api/session")
        assert (answer.status_code, answer.json()["reason"]) == (401, "token_reuse")
        assert set_cookie(answer) is None


@pytest.mark.proves("A22")
async def test_after_a_lost_answer_and_the_grace_the_old_token_brings_the_next_one(
    server: CurfewServer,
) -> None:
    async with Client(server.url) as fay:
        await fay.sign_up("fay")
        await fay.request("POST", "/api/session/rotate", keep=False)

        async def next_generation() -> bool:
            answer = await fay.request("POST", "/api/session/rotate")
            return bool(answer.json() == {"generation": 3})

        before = fay.cookie
        while not await next_generation():
            fay.cookie = before
        assert (await fay.request("GET", "/api/session")).json()["session"]["generation"] == 3


@pytest.mark.proves("A21")
async def test_no_later_rotation_stretches_the_grace_of_a_token(server: CurfewServer) -> None:
    async with Client(server.url) as gil, Client(server.url) as thief:
        await gil.sign_up("gil")
        thief.cookie = gil.cookie
        await gil.request("POST", "/api/session/rotate")
        await gil.request("GET", "/api/session")
        overtaken = time.monotonic()
        asked, served = overtaken, True
        while served:
            assert asked < overtaken + GRACE_SECONDS
            for method, path in (("POST", "/api/session/rotate"), ("GET", "/api/session")):
                await gil.request(method, path)
            asked = time.monotonic()
            answer = await thief.request("GET", "/api/session", keep=False)
            served = answer.status_code == 200
        assert answer.json()["reason"] == "token_reuse"
        assert (await gil.request("GET", "/api/session")).json()["reason"] == "token_reuse"


@pytest.mark.proves("A46", "A18")
async def test_a_handshake_with_an_overtaken_cookie_is_theft_after_the_grace(
    server: CurfewServer,
) -> None:
    async with Client(server.url) as dan, Client(server.url) as thief:
        await dan.sign_up("dan")
        thief.cookie = dan.cookie
        async with dan.open_socket() as kept:
            await frame(kept, "hello")
            await dan.request("POST", "/api/session/rotate")
            await dan.request("GET", "/api/session")

            async def is_found_out() -> bool:
                async with thief.open_socket() as socket:
                    first = json.loads(await socket.recv())
                    if first["type"] == "hello":
                        return False
                    assert first["reason"] == (await end_of(socket)).reason == "token_reuse"
                    assert socket.close_code == 4401
                    return True

            await until(is_found_out)
            assert ((end := await end_of(kept)).code, end.reason) == (4401, "token_reuse")
        async with dan.open_socket() as again:
            assert (await end_of(again)).reason == "token_reuse"


@pytest.mark.proves("A26", "7.2.4")
async def test_a_proved_password_refuses_older_tokens_without_taking_them_for_theft(
    server: CurfewServer,
) -> None:
    async with Client(server.url) as kim:
        await kim.sign_up("kim")
        older = kim.cookie
        body = {"password": "a quiet lantern over the harbour"}
        answer = await kim.request("POST", "/api/session/reauthenticate", body)
        assert answer.status_code == 200
        newer, kim.cookie = kim.cookie, older
        refused = await kim.request("GET", "/api/session")
        assert (refused.status_code, refused.json()["type"]) == (401, "/problems/token-overtaken")
        assert "reason" not in refused.json()  # nothing has ended
        async with kim.open_socket() as socket:
            end = await end_of(socket)
        assert (end.code, end.reason, end.frames) == (4503, "unverified", [])
        kim.cookie = newer
        assert (await kim.request("GET", "/api/session")).status_code == 200
