"""A process that stops: no new connections, its requests finish, its sockets go elsewhere."""

import asyncio
from collections.abc import Sequence

import httpx
import pytest
from tornado.routing import URLSpec
from tornado.web import url

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
    await asyncio.wait_for(drain(http_server, app), PATIENCE_SECONDS)
    assert "some requests did not finish in time" in caplog.messages
    with pytest.raises(httpx.RemoteProtocolError):
        await slow
    Slow.answers.set()


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
