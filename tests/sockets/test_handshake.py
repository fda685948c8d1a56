"""Who may open a socket, and what those are told who may not."""

import asyncio
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from tests.support.clients.client import COOKIE, PASSWORD, Client
from tests.support.clients.people import People, people_of
from tests.support.clients.raw_http import exchange
from tests.support.clients.sockets import PING, TEXT, end_of, raw_frame
from tests.support.servers.server import CurfewServer

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


@pytest.mark.proves("A40", "4.4.2")
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
        "http://127.0.0.1:{port}.evil.example",
        "http://evil127.0.0.1:{port}",
        "http://anna@127.0.0.1:{port}",
        "http://127.0.0.1:{port}@evil.example",
        "http://localhost.:{port}",
        "http://LOCALHOST:{port}",
        "http://localhost:0{port}",
        "http://xn--lcalhost-s4a:{port}",
        "http://l\u00f6calhost:{port}",
        "ws://127.0.0.1:{port}",
        "ftp://127.0.0.1:{port}",
        "http://127.1:{port}",
        "http://2130706433:{port}",
        "//127.0.0.1:{port}",
        "127.0.0.1:{port}",
        "*",
        "http://evil.example\x00http://127.0.0.1:{port}",
    ],
)
async def test_another_origin_is_refused_even_with_a_good_cookie(
    server: CurfewServer, people: People, origin: str
) -> None:
    client = await people.somebody()
    given = origin.format(port=server.port).encode("latin-1")
    lines = [
        b"GET /ws HTTP/1.1",
        b"Host: 127.0.0.1:%d" % server.port,
        b"Origin: " + given,
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        b"Cookie: " + f"{COOKIE}={client.cookie}".encode(),
    ]
    answer = await asyncio.to_thread(exchange, server.port, b"\r\n".join([*lines, b"", b""]))
    assert answer.status == (400 if b"\x00" in given else 403)


@pytest.mark.proves("A40", "A41")
async def test_a_refused_origin_is_remembered_and_does_not_count_as_activity() -> None:
    with CurfewServer(touch_interval="1ms") as server:
        async with people_of(server.url) as people:
            client = await people.somebody()
            other = await people.again(client)
            before = await last_active(other, client.sid)
            for headers in ([("Origin", "http://evil.example")], []):
                cookie = ("Cookie", f"{COOKIE}={client.cookie}")
                assert await refusal(open_by_hand(server, *headers, cookie)) == 403
            assert await last_active(other, client.sid) == before
            await client.request("GET", "/api/session")
            assert await last_active(other, client.sid) > before
        assert server.log.count("event='malicious_cors'") == 2
        assert "origin='http://evil.example'" in server.log


@pytest.mark.parametrize(
    "keys",
    [
        [],
        [""],
        ["AAAAAAAAAAAAAAAAAAAAAA=="] * 2,
        ["AAAAAAAAAAAAAAAAAAAAAA==, AAAAAAAAAAAAAAAAAAAAAA=="],
        ["AAAAAAAAAAAAAAAAAAAA"],
        ["AAAAAAAAAAAAAAAAAAAAAAA="],
        ["AAAAAAAAAAAAAAAAAAAAAAAA"],
        ["AAAAAAAAAAAAAAAAAAAAAAAAAA=="],
        ["AAAAAAAAAAAAAAAAAAAAA-=="],
        ["AAAAAAAAAA AAAAAAAAAAAA=="],
        ["anna"],
    ],
)
async def test_a_key_that_is_not_one_of_16_bytes_opens_nothing(
    server: CurfewServer, keys: list[str]
) -> None:
    answer = await asyncio.to_thread(exchange, server.port, by_hand(server, keys))
    assert answer.status == 400
    assert b"/problems/" in answer.raw


async def test_no_socket_is_opened_over_http_1_0(server: CurfewServer) -> None:
    sent = by_hand(server, ["AAAAAAAAAAAAAAAAAAAAAA=="])
    assert (await asyncio.to_thread(exchange, server.port, sent)).status == 101
    sent = sent.replace(b"HTTP/1.1", b"HTTP/1.0")
    assert (await asyncio.to_thread(exchange, server.port, sent)).status == 400


async def test_frames_that_come_with_the_handshake_are_read(people: People) -> None:
    client = await people.somebody()
    address = urlsplit(client.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = by_hand(client, ["AAAAAAAAAAAAAAAAAAAAAA=="], f"{COOKIE}={client.cookie}")
    writer.write(head + raw_frame(TEXT, b'{"type":"ping"}') + raw_frame(PING, b"abc"))
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    async with asyncio.timeout(20):
        await reader.readuntil(b'"pong"')
        await reader.readuntil(b"\x8a\x03abc")
    writer.close()


def by_hand(at: CurfewServer | Client, keys: list[str], cookie: str = "none=0") -> bytes:
    """A handshake with these keys."""
    lines = [
        "GET /ws HTTP/1.1",
        f"Host: {urlsplit(at.url).netloc}",
        f"Origin: {at.url}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        *(f"Sec-WebSocket-Key: {key}" for key in keys),
        f"Cookie: {cookie}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


async def last_active(asking: Client, sid: str) -> float:
    """When a session was last active, as another one of its owner is told."""
    listed = (await asking.request("GET", "/api/sessions")).json()["sessions"]
    moment: float = next(each["last_active_at"] for each in listed if each["id"] == sid)
    return moment


@pytest.mark.proves("A41", "4.4.2")
async def test_no_origin_is_refused(server: CurfewServer) -> None:
    assert await refusal(open_by_hand(server)) == 403


@pytest.mark.proves("A40")
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


@pytest.mark.proves("A42")
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


@pytest.mark.proves("A28", "7.4.1")
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


@pytest.mark.proves("A34")
async def test_a_session_ended_by_a_new_password_is_told_so(people: People) -> None:
    client = await people.somebody()
    other = await people.again(client)
    passwords = {"current_password": PASSWORD, "new_password": PASSWORD[::-1]}
    answer = await other.request("PUT", "/api/password", passwords)
    assert answer.status_code == 200
    assert await told_at_the_door(client) == "credential_changed"


@pytest.mark.proves("A4", "A9", "7.2.1")
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


@pytest.mark.proves("4.4.3", "7.2.1")
async def test_a_token_in_the_address_opens_nothing(server: CurfewServer, people: People) -> None:
    client = await people.somebody()
    address = f"{server.socket_url}?token={client.cookie}&{COOKIE}={client.cookie}"
    async with connect(address, origin=server.url) as socket:  # type: ignore[arg-type]
        end = await end_of(socket)
    assert (end.code, end.reason) == (4401, "unauthenticated")


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
