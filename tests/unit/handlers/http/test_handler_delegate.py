"""A handler runs as behind Tornado's own delegate, but in fewer turns of the loop."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar

import pytest
from tornado.routing import URLSpec
from tornado.web import RequestHandler, stream_request_body, url

from handlers.http.application import Curfew
from handlers.http.handler_delegate import HandlerDelegate
from handlers.routes import ROUTES
from tests.support.clients.client import Client
from tests.support.clients.requests import request


class Echo(RequestHandler):
    """Answers the body and what it was initialized with."""

    started: ClassVar[asyncio.Event]

    def initialize(self, word: str = "") -> None:
        """Keep the word."""
        self.word = word

    def post(self) -> None:
        """Answer at once."""
        self.write(self.word.encode() + self.request.body)

    async def put(self) -> None:
        """Answer in a later turn, from a task that can be waited with."""
        async with asyncio.timeout(5):
            await asyncio.sleep(0)
        self.write(self.request.body[::-1])

    async def get(self) -> None:
        """Wait for ever."""
        self.started.set()
        await asyncio.Event().wait()

    def delete(self) -> None:
        """Fail."""
        raise ZeroDivisionError


@stream_request_body
class Streamed(RequestHandler):
    """Counts the pieces that it gets."""

    size = 0

    def data_received(self, chunk: bytes) -> None:
        """Take a piece."""
        self.size += len(chunk)

    def post(self) -> None:
        """Answer the number of bytes."""
        self.write(str(self.size))


@pytest.fixture
def routes() -> Sequence[URLSpec]:
    return [url("/echo", Echo, {"word": "word:"}), url("/stream", Streamed), *ROUTES]


def test_a_handler_that_reads_its_body_in_pieces_has_another_delegate(app: Curfew) -> None:
    found = {
        path: isinstance(app.find_handler(request(address=path)), HandlerDelegate)
        for path in ("/echo", "/stream", "/api/session")
    }
    assert found == {"/echo": True, "/stream": False, "/api/session": True}


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [("POST", "/echo", "word:12345"), ("PUT", "/echo", "54321"), ("POST", "/stream", "5")],
)
async def test_a_handler_gets_its_body_and_its_arguments(
    client: Client, method: str, path: str, answer: str
) -> None:
    response = await client.request(method, path, body=12345)
    assert (response.status_code, response.text) == (200, answer)


async def test_a_failure_is_answered(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    response = await client.request("DELETE", "/echo")
    assert response.status_code == 500
    assert "ZeroDivisionError" in caplog.text


async def test_a_task_is_held_until_it_is_done(app: Curfew, client: Client) -> None:
    Echo.started = asyncio.Event()
    asking = asyncio.create_task(client.request("GET", "/echo"))
    await Echo.started.wait()
    (task,) = app._tasks
    task.cancel()
    assert (await asking).status_code == 500
    assert not app._tasks
