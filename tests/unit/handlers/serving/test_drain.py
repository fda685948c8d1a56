"""A process that stops: no new connections, its requests finish, its sockets go elsewhere."""

import asyncio
import socket
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from tornado.routing import URLSpec
from tornado.web import url
from websockets.asyncio.client import ClientConnection

from handlers.front.server import FrontServer
from handlers.http.access import Access
from handlers.http.application import Curfew
from handlers.http.base import BaseHandler
from handlers.routes import ROUTES
from handlers.serving.drain import DRAIN_WINDOW, drain
from tests.support.clients.client import Client
from tests.support.clients.sockets import end_of, frame

PATIENCE_SECONDS = 10.0


class Slow(BaseHandler):
    """Answers when it is told to."""

    access = Access.PUBLIC
    begun: asyncio.Event
    answers: asyncio.Event

    async def get(self) -> None:
        """Wait, then answer."""
        self.begun.set()
        await self.answers.wait()
        self.finish_json({"slow": True})


@pytest.fixture
def routes() -> Sequence[URLSpec]:
    """An address that takes its time, and all others."""
    return [url("/slow", Slow), *ROUTES]


@pytest.fixture
async def slow(client: Client) -> asyncio.Task[httpx.Response]:
    """A request that is under way."""
    Slow.begun, Slow.answers = asyncio.Event(), asyncio.Event()
    sent = asyncio.create_task(client.request("GET", "/slow"))
    await asyncio.wait_for(Slow.begun.wait(), PATIENCE_SECONDS)
    return sent


async def test_no_new_connection_is_accepted(
    http_server: FrontServer, app: Curfew, client: Client
) -> None:
    assert (await client.request("GET", "/healthz")).status_code == 200
    await drain(http_server, app)
    with pytest.raises(httpx.ConnectError):
        await client.request("GET", "/healthz")


async def test_a_request_under_way_is_answered_before_it_ends(
    http_server: FrontServer, app: Curfew, slow: asyncio.Task[httpx.Response]
) -> None:
    draining = asyncio.create_task(drain(http_server, app))
    done, _ = await asyncio.wait([draining], timeout=0.1)
    assert not done
    Slow.answers.set()
    assert (await slow).json() == {"slow": True}
    await asyncio.wait_for(draining, PATIENCE_SECONDS)


async def test_a_request_that_takes_too_long_is_cut_and_the_log_says_so(
    http_server: FrontServer,
    app: Curfew,
    slow: asyncio.Task[httpx.Response],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("handlers.serving.drain.LAST_REQUESTS", 0.05)
    monkeypatch.setattr("handlers.serving.drain.LAST_ANSWERS", 0.05)
    await asyncio.wait_for(drain(http_server, app), PATIENCE_SECONDS)
    assert "some requests did not finish in time" in caplog.messages
    with pytest.raises(httpx.RemoteProtocolError):
        await slow
    Slow.answers.set()


async def test_a_request_that_comes_in_the_last_moment_is_answered(
    http_server: FrontServer, app: Curfew, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that comes back on a connection it kept, just when idle ones are closed."""
    monkeypatch.setattr("handlers.serving.drain.LAST_USES", 0.2)
    assert (await client.request("GET", "/healthz")).status_code == 200  # a connection is kept
    Slow.begun, Slow.answers = asyncio.Event(), asyncio.Event()
    draining = asyncio.create_task(drain(http_server, app))
    await asyncio.sleep(0.1)
    late = asyncio.create_task(client.request("GET", "/slow"))
    await asyncio.wait_for(Slow.begun.wait(), PATIENCE_SECONDS)
    await asyncio.wait([draining], timeout=0.4)  # idle ones are closed meanwhile
    Slow.answers.set()
    answer = await late
    assert (answer.status_code, answer.headers["Connection"]) == (200, "close")
    await asyncio.wait_for(draining, PATIENCE_SECONDS)


async def test_a_socket_is_told_when_to_come_back(
    http_server: FrontServer, app: Curfew, client: Client
) -> None:
    await client.sign_up("ada")
    async with client.open_socket() as socket:
        await frame(socket, "hello")
        draining = asyncio.create_task(drain(http_server, app))
        end = await end_of(socket)
        await draining
    assert (end.code, end.reason, end.last["type"]) == (1012, "drain", "drain")
    assert 0 <= end.last["reconnect_in_ms"] < 1000 * DRAIN_WINDOW.total_seconds()


async def test_a_process_is_unready_before_it_closes_its_port(
    http_server: FrontServer, app: Curfew, client: Client
) -> None:
    running = app.configuration.running
    app.configuration = replace(
        app.configuration, running=replace(running, drain_notice=timedelta(seconds=1))
    )
    assert (await client.request("GET", "/readyz")).status_code == 200
    draining = asyncio.create_task(drain(http_server, app))
    await asyncio.sleep(0)
    async with Client(client.url) as new:
        assert (await new.request("GET", "/readyz")).status_code == 503
        served = await new.request("GET", "/healthz")
        assert served.status_code == 200
        assert served.headers["Connection"] == "close"
    assert not draining.done()
    await asyncio.wait_for(draining, PATIENCE_SECONDS)


async def test_sockets_go_in_turns_that_the_others_can_take(
    http_server: FrontServer, app: Curfew, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = timedelta(seconds=0.3)
    monkeypatch.setattr("server.core.pacing.WINDOW", window)
    monkeypatch.setattr("server.core.nodes.NodeWatch.listed", 2)
    running = replace(app.configuration.running, drain_rate=4, drain_timeout=60 * window)
    app.configuration = replace(app.configuration, running=running)
    await client.sign_up("ada")
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(client.open_socket()) for _ in range(3)]
        for each in sockets:
            await frame(each, "hello")
        began = time.monotonic()

        async def ended(each: ClientConnection) -> float:
            end = await end_of(each)
            assert (end.code, end.last["type"]) == (1012, "drain")
            assert end.last["reconnect_in_ms"] < 300
            return time.monotonic() - began

        ends = [asyncio.create_task(ended(each)) for each in sockets]
        await asyncio.wait_for(drain(http_server, app), PATIENCE_SECONDS)
        moments = sorted(await asyncio.gather(*ends))
    assert moments[1] - moments[0] > 0.2
    assert moments[2] - moments[1] > 0.2


async def test_a_worker_that_its_signal_reaches_before_its_parent_hears_that_all_stop(
    http_server: FrontServer, app: Curfew, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service manager signals the whole group, and the parent says it a moment later."""
    monkeypatch.setattr("server.core.nodes.NodeWatch.listed", 2)
    running = replace(app.configuration.running, drain_rate=1, drain_timeout=timedelta(minutes=5))
    app.configuration = replace(app.configuration, running=running)
    lease, said = app.services.engine.lease, [1]
    look = lease.look

    async def look_while_the_parent_says_it() -> None:
        await look()
        said[0] = 2

    monkeypatch.setattr(lease, "look", look_while_the_parent_says_it)
    await client.sign_up("ada")
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(client.open_socket()) for _ in range(8)]
        for each in sockets:
            await frame(each, "hello")
        draining = asyncio.create_task(drain(http_server, app, lambda: said[0]))
        async with asyncio.timeout(DRAIN_WINDOW.total_seconds()):  # nobody stays: no second turn
            for each in sockets:
                assert (await end_of(each)).last["type"] == "drain"
        await draining


async def test_no_socket_opens_any_more_on_a_connection_that_is_left(
    http_server: FrontServer, app: Curfew, client: Client, slow: asyncio.Task[httpx.Response]
) -> None:
    draining = asyncio.create_task(drain(http_server, app))
    await asyncio.sleep(0.05)
    assert app.handshakes.enter() is not None
    Slow.answers.set()
    assert (await slow).status_code == 200
    await draining
    del client


async def test_a_connection_that_waits_to_be_accepted_is_served(
    http_server: FrontServer, app: Curfew, client: Client
) -> None:
    """Nobody has accepted it when the port is closed, and its request is there."""
    assert (await client.request("GET", "/healthz")).status_code == 200
    port = app.configuration.port
    with socket.create_connection(("127.0.0.1", port)) as waiting:
        waiting.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        await drain(http_server, app)  # the loop had no turn in between
        waiting.settimeout(PATIENCE_SECONDS)
        answer = await asyncio.to_thread(waiting.recv, 4096)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"Connection: close" in answer
