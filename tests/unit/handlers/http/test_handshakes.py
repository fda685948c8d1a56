"""Only so many handshakes are under way; the others come back, each in its own time."""

import asyncio
import socket
import struct

import pytest

from handlers.front.server import FrontServer
from handlers.http.application import Curfew
from handlers.http.handshakes import RETRY_AFTER, Handshakes
from server.core.reasons import NoSession
from server.core.token import Token
from server.sessions.verdicts import LiveSession, TokenRefused
from tests.support.clients.client import Client
from tests.support.running.processes import POLL_SECONDS

HANDSHAKE = """GET /ws HTTP/1.1
Host: localhost:{port}
Origin: http://localhost:{port}
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
Sec-WebSocket-Version: 13
Cookie: {cookie}

""".replace("\n", "\r\n")
RESET = struct.pack("ii", 1, 0)
"""Of `SO_LINGER`: closing sends a reset."""


def test_one_too_many_is_told_to_come_back_and_counted() -> None:
    refused: list[int] = []
    handshakes = Handshakes(2, lambda: refused.append(1))
    assert [handshakes.enter(), handshakes.enter()] == [None, None]
    problem = handshakes.enter()
    assert problem is not None
    assert (problem.status, problem.slug) == (503, "unavailable")
    assert handshakes.under_way == 2
    assert len(refused) == 1
    handshakes.leave()
    assert handshakes.enter() is None


def test_clients_are_told_different_times() -> None:
    handshakes = Handshakes(0, lambda: None)
    problems = [handshakes.enter() for _ in range(200)]
    told = {int(each.headers["Retry-After"]) for each in problems if each}
    assert told == set(RETRY_AFTER)


def test_a_process_that_stops_takes_none() -> None:
    handshakes = Handshakes(2, lambda: None)
    handshakes.are_taken = False
    assert handshakes.enter() is not None


@pytest.mark.parametrize("leaves_by", ["a reset", "a close"])
async def test_a_client_that_leaves_during_its_handshake_leaves_its_place(
    app: Curfew,
    http_server: FrontServer,  # noqa: ARG001 - it must listen
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    leaves_by: str,
) -> None:
    """Else a process would soon take no sockets at all."""
    await client.sign_up("ada")
    sessions, reached, goes_on = app.services.sessions, asyncio.Event(), asyncio.Event()
    check = sessions.check

    async def slow(
        token: Token, *, may_rotate: bool, is_activity: bool
    ) -> LiveSession | NoSession | TokenRefused:
        reached.set()
        await goes_on.wait()
        return await check(token, may_rotate=may_rotate, is_activity=is_activity)

    monkeypatch.setattr(sessions, "check", slow)
    port, cookie = app.configuration.port, client.http.headers["Cookie"]
    with socket.create_connection(("127.0.0.1", port)) as leaving:
        leaving.sendall(HANDSHAKE.format(port=port, cookie=cookie).encode())
        await asyncio.wait_for(reached.wait(), 5)
        assert app.handshakes.under_way == 1
        if leaves_by == "a reset":
            leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    goes_on.set()
    async with asyncio.timeout(5):
        while app.handshakes.under_way:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(POLL_SECONDS)
    await app.idle()
