"""An application's lifespan: whatever its code does, it is said in one line."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from handlers.http.additions import Additions, Hooks, Task
from handlers.http.node import Node
from handlers.http.tasks import Tasks
from handlers.serving import lifecycle
from handlers.serving.lifecycle import application_running, shown
from server.accounts.requester import Requester
from server.core.errors import ConfigurationError
from server.core.reasons import Reason
from server.core.session import Device, Session
from server.services import Services
from server.sessions.verdicts import LiveSession
from server.store.session_ledger import EndedSession
from settings import Settings
from tests.support.clients.client import PASSWORD
from tests.support.running.waiting import until

FAILED = "The lifespan of the application failed at its start: "
SHORT = timedelta(seconds=0.05)


@pytest.fixture
def node() -> Node:
    """A process without services, which the lifecycle never asks for."""
    return cast("Node", SimpleNamespace(tasks=Tasks(), state=None))


@pytest.fixture
def left() -> list[str]:
    """What was said when the process was given up."""
    return []


def running(additions: Additions, node: Node, left: list[str], place: int = 0) -> Any:
    return application_running(additions, node, place=place, leave=left.append)


async def test_it_starts_before_and_stops_after_what_is_served(node: Node, left: list[str]) -> None:
    order = list[str]()

    @asynccontextmanager
    async def lifespan(_: Node) -> AsyncIterator[str]:
        order.append("start")
        yield "state"
        order.append("stop")

    async def work(_: Node) -> None:
        order.append("work")
        try:
            await asyncio.Event().wait()
        finally:
            order.append("cancelled")

    tasks = [Task("work", work), Task("elsewhere", work, once_per_machine=True)]
    async with running(Additions(lifespan=lifespan, tasks=tasks), node, left, place=1):
        assert node.state == "state"
        await asyncio.sleep(0)
        order.append("serve")
    assert order == ["start", "work", "serve", "cancelled", "stop"]
    assert left == []


@asynccontextmanager
async def failing(_: Node) -> AsyncIterator[None]:
    raise LookupError("no  such\ndatabase")
    yield


@asynccontextmanager
async def refusing(_: Node) -> AsyncIterator[None]:
    raise ConfigurationError("The database is of another version.")
    yield


@asynccontextmanager
async def leaving(_: Node) -> AsyncIterator[None]:
    sys.exit("HUDDLE_DATABASE is missing.")
    yield


@asynccontextmanager
async def endless(_: Node) -> AsyncIterator[None]:
    await asyncio.Event().wait()
    yield


@pytest.mark.parametrize(
    ("lifespan", "line"),
    [
        (failing, FAILED + "LookupError: no such database"),
        (refusing, "The database is of another version."),
        (leaving, FAILED + "SystemExit: HUDDLE_DATABASE is missing."),
        (endless, "The start of the application took longer than 0.05 s."),
    ],
)  # fmt: skip
async def test_a_start_that_fails_is_one_line(
    node: Node, left: list[str], lifespan: Callable[[Node], Any], line: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        async with running(Additions(lifespan=lifespan, start_limit=SHORT), node, left):
            pytest.fail("it serves")
    assert str(refused.value) == line
    assert left == []


async def test_one_that_wants_to_end_the_process_at_its_stop_is_logged(
    node: Node, left: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    @asynccontextmanager
    async def leaving_late(_: Node) -> AsyncIterator[None]:
        yield
        sys.exit("The database is gone.")

    async with running(Additions(lifespan=leaving_late), node, left):
        pass
    assert left == []
    assert "the lifespan of the application failed at its end" in caplog.text
    assert "The lifespan of the application failed at its end: SystemExit: The da" in caplog.text


async def test_one_that_cannot_be_cancelled_ends_the_process(
    node: Node, left: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "GRACE_SECONDS", 0.02)
    over = asyncio.Event()

    @asynccontextmanager
    async def stubborn(_: Node) -> AsyncIterator[None]:
        while not over.is_set():
            try:
                await over.wait()
            except asyncio.CancelledError:
                continue
        yield

    with pytest.raises(ConfigurationError):
        async with running(Additions(lifespan=stubborn, start_limit=SHORT), node, left):
            pytest.fail("it serves")
    assert left == ["The start of the application took longer than 0.05 s."]
    over.set()


async def test_one_that_blocks_the_loop_ends_the_process_and_is_named(
    node: Node, left: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "BLOCKED_SECONDS", 0.3)
    monkeypatch.setattr(lifecycle, "LOOK_EVERY", 0.05)

    @asynccontextmanager
    async def blocking(_: Node) -> AsyncIterator[None]:
        deadline = time.monotonic() + 5
        while not left and time.monotonic() < deadline:
            time.sleep(0.01)  # noqa: ASYNC251 - this is what it is about
        yield

    async with running(Additions(lifespan=blocking), node, left):
        pass
    assert len(left) == 1
    assert left[0].startswith("The start of the application blocks the event loop: ")
    assert "test_lifecycle.py" in left[0]


async def test_a_stop_that_fails_or_takes_long_is_logged(
    node: Node, left: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    @asynccontextmanager
    async def failing_at_the_end(_: Node) -> AsyncIterator[None]:
        yield
        raise LookupError("gone")

    @asynccontextmanager
    async def long_at_the_end(_: Node) -> AsyncIterator[None]:
        yield
        await asyncio.Event().wait()

    for lifespan in (failing_at_the_end, long_at_the_end):
        async with running(Additions(lifespan=lifespan, stop_limit=SHORT), node, left):
            pass
        node.tasks._is_stopping = False
    assert "the lifespan of the application failed at its end" in caplog.text
    assert "The stop of the application took longer than 0.05 s." in caplog.text


def test_an_error_is_shown_in_one_line() -> None:
    assert shown(ValueError("a\nb")) == "ValueError: a b"
    assert shown(ValueError()) == "ValueError"


async def test_an_application_is_told_of_sessions_that_begin_and_end_while_it_runs(
    services: Services, configuration: Settings, left: list[str]
) -> None:
    told = set[tuple[str, str | None, Reason | None]]()

    async def started(_: Node, session: Session) -> None:
        told.add(("started", session.user, None))

    async def ended(_: Node, session: EndedSession, reason: Reason | None) -> None:
        told.add(("ended", session.user, reason))

    async def has_heard_of_both() -> bool:
        return len(told) == 2

    node = Node(services, configuration, serves=True)
    async with running(Additions(hooks=Hooks(started=started, ended=ended)), node, left):
        await services.accounts.create("ada", PASSWORD)
        requester = Requester(Device("Test/1", "192.0.2.1"))
        live = await services.sign_in.by_password("ada", PASSWORD, requester)
        assert isinstance(live, LiveSession)
        await services.terminations.one(live.session, Reason.ADMIN)
        await until(has_heard_of_both)
    assert told == {("started", "ada", None), ("ended", "ada", Reason.ADMIN)}
    assert left == []


async def test_a_start_that_is_called_off_leaves_the_lifespan(node: Node, left: list[str]) -> None:
    steps = list[str]()
    has_begun = asyncio.Event()

    @asynccontextmanager
    async def lifespan(_: Node) -> AsyncIterator[None]:
        has_begun.set()
        try:
            await asyncio.Event().wait()
            yield
        finally:
            steps.append("left")

    async def serve() -> None:
        async with running(Additions(lifespan=lifespan), node, left):
            steps.append("served")

    serving = asyncio.create_task(serve())
    await has_begun.wait()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert (steps, left) == (["left"], [])
