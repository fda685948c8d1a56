"""A cookie of an ended session, wherever and however it is sent again."""

import http.client
import json

import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.clients.client import COOKIE, Client, frame
from tests.support.clients.people import People
from tests.support.clients.raw_http import exchange
from tests.support.clients.routes import LOOK, METHODS, NOBODY, Route, all_routes
from tests.support.servers.server import CurfewServer

PUBLIC_READS = {"/", "/signup", "/login", "/logout", "/healthz", "/readyz", "/metrics"}
SIGNING_IN = {"/signup", "/login", "/logout", "/api/signup", "/api/login", "/openapi.json"}
SIGNING_IN |= {f"/login/{step}" for step in ("second-factor", "passkey")}
SIGNING_IN |= {f"/api/login/{step}" for step in ("second-factor", "passkey", "passkey/options")}
OPEN = PUBLIC_READS | SIGNING_IN | {"/ws", "/api/session/data", LOOK}
CLOSED = [route for route in all_routes() if route.path not in OPEN]


async def with_ended_session(people: People) -> Client:
    """Somebody who logged out, and sends the cookie all the same."""
    client = await people.somebody()
    cookie = client.cookie
    assert (await client.request("POST", "/api/logout")).status_code == 200
    client.cookie = cookie
    return client


@pytest.mark.proves("A27", "7.4.1", "7.2.1")
@pytest.mark.parametrize("route", CLOSED, ids=lambda route: route.path)
async def test_no_route_takes_the_cookie_of_an_ended_session(people: People, route: Route) -> None:
    client = await with_ended_session(people)
    for method in METHODS:
        if method in route.methods:
            answer = await client.request(method, route.path, keep=False)
            refused = 303 if not route.is_api else 401
            assert answer.status_code == refused, (method, answer.text)
            assert answer.headers.get("Location", "/login").startswith("/login")
            assert "Set-Cookie" not in answer.headers


@pytest.mark.proves("A27")
async def test_public_pages_show_nothing_of_an_ended_session(people: People) -> None:
    client = await with_ended_session(people)
    for path in sorted(PUBLIC_READS):
        answer = await client.request("GET", path, keep=False)
        assert "data-user" not in answer.text
        assert client.sid not in answer.text


@pytest.mark.proves("A27")
async def test_http_1_0_takes_no_cookie_of_an_ended_session(
    server: CurfewServer, people: People
) -> None:
    client = await with_ended_session(people)
    host = f"127.0.0.1:{server.port}"
    request = (
        f"GET /api/session HTTP/1.0\r\nHost: {host}\r\nCookie: {COOKIE}={client.cookie}\r\n\r\n"
    )
    assert exchange(server.port, request.encode()).status == 401


@pytest.mark.proves("A27")
async def test_a_connection_opened_before_the_logout_is_no_way_in(
    server: CurfewServer, people: People
) -> None:
    """All requests of one connection reach one process; the logout may go through the other."""
    client = await people.somebody()
    headers = {"Cookie": f"{COOKIE}={client.cookie}"}
    kept = [http.client.HTTPConnection("127.0.0.1", server.port) for _ in range(8)]
    for connection in kept:
        assert status_of(connection, headers) == 200
    assert (await client.request("POST", "/api/logout")).status_code == 200
    for connection in kept:
        assert status_of(connection, headers) == 401
        connection.close()


@pytest.mark.proves("A28")
async def test_a_handshake_after_the_logout_is_told_why_and_closed(people: People) -> None:
    client = await with_ended_session(people)
    async with client.open_socket() as socket:
        ended = await frame(socket, "ended")
        assert ended["reason"] == "logout"
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert (socket.close_code, socket.close_reason) == (4401, "logout")


@pytest.mark.proves("A27b", "A46")
async def test_a_socket_opened_before_a_rotation_ends_with_the_session(people: People) -> None:
    client = await people.somebody()
    async with client.open_socket() as socket:
        await frame(socket, "hello")
        assert (await client.request("POST", "/api/session/rotate")).status_code == 200
        assert (await frame(socket, "rotated"))["generation"] == 2
        await socket.send(json.dumps({"type": "ping"}))
        assert await frame(socket, "pong")
        assert (await client.request("GET", "/api/session")).status_code == 200
        await client.request("POST", "/api/logout")
        assert (await frame(socket, "ended"))["reason"] == "logout"


@pytest.mark.proves("A36")
@pytest.mark.parametrize("sid", [NOBODY, "0", "..", "%2e%2e", "*", "00{x}", "x" * 2_000])
async def test_ids_of_no_session_are_one_404(people: People, sid: str) -> None:
    client = await people.somebody()
    answer = await client.request("DELETE", f"/api/sessions/{sid}")
    assert answer.status_code == 404
    assert (await client.request("GET", "/api/session")).status_code == 200


def status_of(connection: http.client.HTTPConnection, headers: dict[str, str]) -> int:
    """Ask for the session over a kept connection."""
    connection.request("GET", "/api/session", headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status
