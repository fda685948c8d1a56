"""A cookie of a name that is almost ours, beside ours: over the wire, byte for byte."""

import json
from collections.abc import Iterator

import pytest

from tests.support.clients.client import COOKIE, Client
from tests.support.clients.people import People
from tests.support.clients.raw_http import exchange
from tests.support.running.processes import eventually
from tests.support.servers.server import CurfewServer

STRANGE = [bytes([code]) for code in range(256) if bytes([code]) not in b"\t ;=\r\n\0"]


def headers(planted: Client, own: Client) -> Iterator[bytes]:
    """Cookie headers in which a name of ours is not quite ours."""
    name, theirs, ours = COOKIE.encode(), planted.cookie.encode(), own.cookie.encode()
    for byte in STRANGE:
        for almost in (byte + name, name + byte):
            yield b"%b=%b; %b=%b" % (almost, theirs, name, ours)
            yield b"%b=%b; %b=%b" % (name, ours, almost, theirs)


def ask(server: CurfewServer, cookie: bytes) -> tuple[int, bytes]:
    """One request; status and answer."""
    host = f"127.0.0.1:{server.port}".encode()
    request = b"GET /api/session HTTP/1.1\r\nHost: %b\r\nCookie: %b\r\n\r\n" % (host, cookie)
    answer = exchange(server.port, request)
    assert b"\r\nSet-Cookie" not in answer.raw
    return answer.status, answer.raw


@pytest.mark.proves("A10", "3.3.3")
async def test_a_name_that_is_almost_ours_is_never_ours(
    server: CurfewServer, people: People
) -> None:
    attacker, victim = await people.somebody(), await people.somebody()
    served = 0
    for cookie in headers(attacker, victim):
        status, answer = ask(server, cookie)
        assert attacker.sid.encode() not in answer, cookie[:40]
        assert status in {200, 400}, cookie[:40]  # 400: no byte for a header at all
        if status == 200:
            body = json.loads(answer.partition(b"\r\n\r\n")[2])
            assert body["session"]["id"] == victim.sid
            served += 1
    assert served >= 4 * 128
    for cookie in (
        b"%b%b=%b" % (byte, COOKIE.encode(), attacker.cookie.encode()) for byte in STRANGE
    ):
        assert ask(server, cookie)[0] in {400, 401}
    for each in (attacker, victim):
        assert (await each.request("GET", "/api/session")).json()["session"]["id"] == each.sid


@pytest.mark.proves("A83", "16.2.5")
async def test_the_log_quotes_nothing_of_a_header_that_is_refused(
    server: CurfewServer, people: People
) -> None:
    somebody = await people.somebody()
    cookie = b"\x01x=1; %b=%b" % (COOKIE.encode(), somebody.cookie.encode())
    assert ask(server, cookie)[0] == 400
    eventually(lambda: "malformed HTTP message from" in server.log)
    assert somebody.cookie not in server.log


@pytest.mark.proves("A22", "A17")
async def test_while_answers_are_lost_the_old_token_brings_the_same_successor(
    people: People,
) -> None:
    client = await people.somebody()
    lost = set()
    for _ in range(20):
        answer = await client.request("POST", "/api/session/rotate", keep=False)
        assert answer.json() == {"generation": 2}
        lost.add(answer.headers["Set-Cookie"].split("|")[4])
    assert len(lost) == 1
    await client.request("POST", "/api/session/rotate")
    assert (await client.request("GET", "/api/session")).json()["session"]["generation"] == 2
