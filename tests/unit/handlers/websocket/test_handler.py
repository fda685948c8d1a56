"""`GET /ws`: the handshake, the limits of this process, and what reaches the engine's socket."""

import asyncio

import pytest

from handlers.http.application import Curfew
from handlers.http.connection_limits import ConnectionLimits
from handlers.websocket.handler import READ_AT_MOST, TornadoTransport
from handlers.websocket.strict_protocol import StrictProtocol
from server.core.messages import MAX_FRAME_BYTES
from server.core.room_frames import SharedFrame
from server.services import Services
from tests.support.clients.client import PASSWORD, Client
from tests.support.clients.sockets import end_of, frame
from tests.support.running.waiting import until

HANDSHAKE = {
    "Connection": "keep-alive, Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


@pytest.fixture
async def ada(client: Client) -> Client:
    """A browser that is signed in."""
    return await client.sign_up("ada")


@pytest.mark.parametrize(
    ("wrong", "status", "slug"),
    [
        ({"Upgrade": "h2c"}, 426, "upgrade-required"),
        ({"Connection": "keep-alive"}, 426, "upgrade-required"),
        ({"Sec-WebSocket-Version": "8"}, 426, "upgrade-required"),
        ({"Sec-WebSocket-Key": ""}, 400, "bad-request"),
        ({"Sec-WebSocket-Key": "AAAA"}, 400, "bad-request"),
        ({"Sec-WebSocket-Protocol": "curfew.v2"}, 400, "wrong-subprotocol"),
        ({"Origin": "https://evil.example"}, 403, "forbidden-origin"),
    ],
)
async def test_a_handshake_that_is_wrong_is_answered_by_a_problem(
    client: Client, wrong: dict[str, str], status: int, slug: str
) -> None:
    answer = await client.http.get("/ws", headers=HANDSHAKE | wrong)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}")


async def test_without_a_session_the_close_frame_says_why(client: Client) -> None:
    async with client.open_socket() as socket:
        end = await end_of(socket)
    assert (end.code, end.reason) == (4401, "unauthenticated")


async def test_a_cookie_that_cannot_be_checked_now_ends_no_session(
    ada: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.engine.fence, "_lease", 0.0)
    async with ada.open_socket() as socket:
        end = await end_of(socket)
    assert (end.frames, end.code, end.reason) == ([], 4503, "unverified")


async def test_a_browser_whose_newer_token_is_on_its_way_shall_come_back(ada: Client) -> None:
    proof = {"password": PASSWORD}
    renewed = await ada.request("POST", "/api/session/reauthenticate", proof, keep=False)
    assert renewed.status_code == 200
    async with ada.open_socket() as socket:
        end = await end_of(socket)
    assert (end.frames, end.code, end.reason) == ([], 4503, "unverified")


async def test_a_message_reaches_the_other_sockets_of_its_sender(ada: Client) -> None:
    async with ada.open_socket() as one, ada.open_socket() as other:
        await frame(one, "hello")
        await frame(other, "hello")
        await one.send('{"type": "message", "data": "hello, you"}')
        received = await frame(other, "message")
    assert received["data"] == "hello, you"


async def test_a_message_of_just_the_limit_is_served(ada: Client) -> None:
    head, tail = '{"type": "message", "data": "', '"}'
    async with ada.open_socket() as one, ada.open_socket(max_size=None) as other:
        await frame(one, "hello")
        await frame(other, "hello")
        await one.send(head + "x" * (MAX_FRAME_BYTES - len(head + tail)) + tail)
        assert set((await frame(other, "message"))["data"]) == {"x"}


@pytest.mark.parametrize("size", [MAX_FRAME_BYTES + 1, READ_AT_MOST])
async def test_a_message_over_the_limit_closes_its_socket(ada: Client, size: int) -> None:
    async with ada.open_socket() as socket:
        await frame(socket, "hello")
        await socket.send("x" * size)
        end = await end_of(socket)
    assert (end.code, end.reason) == (1009, "too_big")


async def test_a_full_process_opens_no_socket_and_leaves_the_session_alone(
    app: Curfew, ada: Client
) -> None:
    app.connection_limits = ConnectionLimits(1)
    async with ada.open_socket() as socket:
        end = await end_of(socket)
    assert (end.code, end.reason) == (1013, "overload")
    assert (await ada.request("GET", "/api/session")).status_code == 200


async def test_a_socket_is_counted_as_long_as_it_is_open(app: Curfew, ada: Client) -> None:
    async with ada.open_socket() as socket:
        await frame(socket, "hello")
        assert app.connection_limits._total == 1

    async def left() -> bool:
        return app.connection_limits._total == 0

    await until(left)


async def test_nobody_joins_a_room_by_request_unless_the_application_says_so(
    ada: Client, services: Services
) -> None:
    await services.rooms.create("den")
    async with ada.open_socket() as socket:
        await frame(socket, "hello")
        await socket.send('{"type": "join", "room": "den"}')
        assert (await frame(socket, "error"))["code"] == "not_a_member"


async def test_a_socket_that_is_gone_takes_no_frame(ada: Client, services: Services) -> None:
    async with ada.open_socket() as socket:
        await frame(socket, "hello")
        (sockets,) = services.engine.hub.sessions()
        (connection,) = sockets.connections.values()
        transport = connection._transport  # type: ignore[attr-defined]
        assert isinstance(transport, TornadoTransport)
        protocol = transport._handler.ws_connection
        assert isinstance(protocol, StrictProtocol)

    async def is_gone() -> bool:
        return transport._handler.ws_connection is None

    await until(is_gone)
    for begin in (transport.begin, protocol.begin):
        with pytest.raises(ConnectionError):
            await begin(SharedFrame("{}", "den"))  # type: ignore[misc]
    with pytest.raises(ConnectionError):
        await transport.write("{}")
    transport.write_now("{}")


async def test_an_older_version_of_http_opens_no_socket(ada: Client) -> None:
    host, port = ada.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = [f"{name}: {value}" for name, value in HANDSHAKE.items()]
    head = ["GET /ws HTTP/1.0", f"Host: {host}:{port}", f"Origin: {ada.url}", *lines, "", ""]
    writer.write("\r\n".join(head).encode())
    assert await reader.readline() == b"HTTP/1.1 400 Bad Request\r\n"
    writer.close()
    await writer.wait_closed()
