"""Who may open a socket, and what those are told who may not."""

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from tests.support.client import COOKIE, PASSWORD, Client
from tests.support.people import People
from tests.support.server import CurfewServer
from tests.support.sockets import end_of

SUBPROTOCOL = "curfew.v1"


def open_by_hand(server: CurfewServer, *headers: tuple[str, str], **options: object) -> connect:
    """A socket with exactly these headers besides those of the handshake itself."""
    options = {"subprotocols": [SUBPROTOCOL], "user_agent_header": None, **options}
    return connect(server.socket_url, additional_headers=list(headers), **options)  # type: ignore[arg-type]


async def refusal(opening: connect) -> int:
    """The status with which the handshake is refused."""
    with pytest.raises(InvalidStatus) as refused:
        await opening
    return refused.value.response.status_code


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1:1",
        "http://127.0.0.1",
        "http://localhost.evil.example:{port}",
        "http://evil.example",
        "http://127.0.0.1:{port}/",
        "HTTP://127.0.0.1:{port}",
        "http://127.0.0.1:{port} http://evil.example",
    ],
)
async def test_another_origin_is_refused_even_with_a_good_cookie(
    server: CurfewServer, people: People, origin: str
) -> None:
    client = await people.somebody()
    given = origin.format(port=server.port)
    opening = open_by_hand(server, ("Origin", given), ("Cookie", f"{COOKIE}={client.cookie}"))
    assert await refusal(opening) == 403


async def test_no_origin_is_refused(server: CurfewServer) -> None:
    assert await refusal(open_by_hand(server)) == 403


async def test_two_origins_are_refused_although_both_are_ours(server: CurfewServer) -> None:
    twice = [("Origin", server.url), ("Origin", server.url)]
    assert await refusal(open_by_hand(server, *twice)) == 403


async def test_each_loopback_name_of_the_server_is_an_origin(server: CurfewServer) -> None:
    for host in ("127.0.0.1", "localhost", "[::1]"):
        origin = f"http://{host}:{server.port}"
        async with open_by_hand(server, ("Origin", origin)) as socket:
            assert (await end_of(socket)).code == 4401


async def test_a_refusal_is_a_problem_document(server: CurfewServer) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await open_by_hand(server, ("Origin", "null"))
    response = refused.value.response
    assert response.headers["Content-Type"].startswith("application/problem+json")
    assert b'"/problems/forbidden-origin"' in (response.body or b"")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:1", "127.0.0.1"])
async def test_an_unknown_host_is_misdirected(server: CurfewServer, host: str) -> None:
    opening = connect(
        f"ws://{host}/ws",
        host="127.0.0.1",
        port=server.port,
        origin=server.url,  # type: ignore[arg-type]  # NewType of str
        proxy=None,
    )
    assert await refusal(opening) == 421


async def test_a_subprotocol_that_is_not_spoken_is_refused(server: CurfewServer) -> None:
    opening = open_by_hand(server, ("Origin", server.url), subprotocols=["curfew.v2"])
    assert await refusal(opening) == 400


async def test_ours_is_chosen_among_several_subprotocols(people: People) -> None:
    client = await people.somebody()
    offered = ["chat", SUBPROTOCOL]
    async with connect(
        client.url.replace("http", "ws") + "/ws",
        origin=client.url,  # type: ignore[arg-type]  # NewType of str
        subprotocols=offered,  # type: ignore[arg-type]
        additional_headers={"Cookie": f"{COOKIE}={client.cookie}"},
    ) as socket:
        assert socket.subprotocol == SUBPROTOCOL


async def told_at_the_door(client: Client) -> str | None:
    """Open a socket that is to be sent away; the reason it is given, in frame and close frame."""
    async with client.open_socket() as socket:
        end = await end_of(socket)
    assert [frame["type"] for frame in end.frames] == ["ended"]
    assert end.code == 4401
    assert end.reason == end.last["reason"]
    assert end.last.keys() == {"type", "reason", "event", "at"}
    return end.reason


async def test_without_a_cookie_the_socket_is_told_that_it_has_no_session(people: People) -> None:
    assert await told_at_the_door(await people.visitor()) == "unauthenticated"


async def test_after_a_logout_the_old_cookie_is_told_of_the_logout(people: People) -> None:
    client = await people.somebody()
    receipt = await client.request("POST", "/api/logout", keep=False)
    async with client.open_socket() as socket:
        end = await end_of(socket)
    assert (end.code, end.reason, len(end.frames)) == (4401, "logout", 1)
    assert end.last["event"] == receipt.json()["event"]


async def test_a_session_ended_elsewhere_is_told_so(people: People) -> None:
    client = await people.somebody()
    other = await people.again(client)
    await other.request("DELETE", f"/api/sessions/{client.sid}")
    assert await told_at_the_door(client) == "terminated"


async def test_a_session_ended_by_a_new_password_is_told_so(people: People) -> None:
    client = await people.somebody()
    other = await people.again(client)
    passwords = {"current_password": PASSWORD, "new_password": PASSWORD[::-1]}
    answer = await other.request("PUT", "/api/password", passwords)
    assert answer.status_code == 200
    assert await told_at_the_door(client) == "credential_changed"


@pytest.mark.parametrize("spoil", ["flip", "cut", "twice", "rubbish"])
async def test_a_forged_cookie_is_told_nothing_of_any_session(people: People, spoil: str) -> None:
    client = await people.somebody()
    value = client.cookie
    client.cookie = {
        "flip": value[:-1] + ("0" if value[-1] != "0" else "1"),
        "cut": value[:-1],
        "twice": f"{value}; {COOKIE}={value}",
        "rubbish": "2|" + "9" * 500,
    }[spoil]
    assert await told_at_the_door(client) == "unauthenticated"


async def test_a_plain_request_is_told_to_upgrade(people: People) -> None:
    answer = await (await people.visitor()).request("GET", "/ws")
    assert answer.status_code == 426
    assert answer.headers["Upgrade"] == "websocket"
    assert answer.json()["type"] == "/problems/upgrade-required"


async def test_the_cookie_of_the_handshake_is_never_replaced(people: People) -> None:
    """A browser may drop a cookie that comes with the 101; rotation happens over HTTP only."""
    client = await people.somebody()
    async with client.open_socket() as socket:
        assert isinstance(socket, ClientConnection)
        assert socket.response is not None
        assert "Set-Cookie" not in socket.response.headers


async def test_a_client_without_subprotocol_is_served(people: People) -> None:
    client = await people.somebody()
    headers = [("Origin", client.url), ("Cookie", f"{COOKIE}={client.cookie}")]
    async with connect(
        client.url.replace("http", "ws") + "/ws", additional_headers=headers
    ) as socket:
        assert socket.subprotocol is None
        assert '"hello"' in str(await socket.recv())
