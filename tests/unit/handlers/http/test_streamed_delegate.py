"""A handler whose body is streamed checks before the body, and again before it acts."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import pytest
from tornado.iostream import StreamClosedError
from tornado.web import Application, RequestHandler, stream_request_body

from handlers.http.guards import require_live_session
from handlers.http.session import SessionHandler
from handlers.http.streamed_delegate import StreamedDelegate, is_streamed
from server.core.errors import WriteConflict
from tests.support.clients.requests import request


@stream_request_body
class Upload(RequestHandler):
    """Notes what is asked of it."""

    noted: ClassVar[list[str]] = []
    checks: ClassVar[asyncio.Event]
    flaw: ClassVar[Exception | None] = None

    def prepare(self) -> None:
        """Note it."""
        self.noted[:] = ["prepare"]

    def data_received(self, chunk: bytes) -> None:
        """Note the bytes."""
        self.noted.append(chunk.decode())

    async def check_again(self) -> None:
        """Wait, then fail or not."""
        await self.checks.wait()
        if self.flaw is not None:
            raise self.flaw

    def get(self) -> None:
        """Note that it acts."""
        self.noted.append("act")

    def finish(self, _: Any = None) -> Any:
        """Send nothing."""
        self._finished = True
        self.on_finish()

    def on_finish(self) -> None:
        """Note the end."""
        self.noted.append("end")


@pytest.fixture
async def delegate() -> StreamedDelegate:
    """Of a request whose first piece has come."""
    Upload.checks, Upload.flaw = asyncio.Event(), None
    tasks: set[asyncio.Task[None]] = set()
    asked, no_path = request(address="/x"), (cast("Sequence[bytes]", ()), dict[str, bytes]())
    delegate = StreamedDelegate(Application(), asked, Upload, {}, no_path, tasks)
    prepared = delegate.headers_received(cast("Any", None), asked.headers)
    assert prepared is not None
    await prepared
    delegate.data_received(b"piece")
    return delegate


async def end(delegate: StreamedDelegate) -> list[str]:
    """Wait until nothing is under way, and return what was noted."""
    async with asyncio.timeout(5):
        while delegate._tasks:
            await asyncio.wait(delegate._tasks)
    return Upload.noted


async def test_it_acts_after_the_second_check(delegate: StreamedDelegate) -> None:
    delegate.finish()
    await asyncio.sleep(0.01)
    assert Upload.noted == ["prepare", "piece"]
    Upload.checks.set()
    assert await end(delegate) == ["prepare", "piece", "act", "end"]


async def test_what_fails_the_second_check_is_answered_and_does_not_act(
    delegate: StreamedDelegate, caplog: pytest.LogCaptureFixture
) -> None:
    Upload.flaw = LookupError("gone")
    Upload.checks.set()
    delegate.finish()
    assert await end(delegate) == ["prepare", "piece", "end"]
    assert "gone" in caplog.text


@pytest.mark.parametrize("is_whole", [False, True])
async def test_one_whose_client_goes_does_not_act_and_ends_once(
    delegate: StreamedDelegate,
    is_whole: bool,  # noqa: FBT001 - a parameter of pytest
) -> None:
    if is_whole:
        delegate.finish()
        await asyncio.sleep(0)
    delegate.on_connection_close()
    Upload.checks.set()
    assert await end(delegate) == ["prepare", "piece", "end"]
    assert isinstance(delegate._body.exception(), StreamClosedError)


def test_the_mark_of_tornado_is_known() -> None:
    assert is_streamed(Upload)
    assert not is_streamed(RequestHandler)


async def test_a_session_that_others_keep_writing_to_is_live() -> None:
    async def current(_: str) -> None:
        raise WriteConflict("a", 9)

    fence = SimpleNamespace(of=lambda _: SimpleNamespace(require=lambda: None))
    services = SimpleNamespace(
        engine=SimpleNamespace(fence=fence), sessions=SimpleNamespace(current=current)
    )
    live = SimpleNamespace(session=SimpleNamespace(sid="a"))
    for each in (live, None):
        handler = SimpleNamespace(live=each, services=services)
        await require_live_session(cast("SessionHandler", handler))
