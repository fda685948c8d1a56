"""What an application may add to its sockets, and what becomes of a socket if that fails."""

import asyncio

import pytest

from server.core.limits import HANDLER_SECONDS
from server.core.session import Json, Session
from server.realtime.socket_hooks import NO_HOOKS, FrameHandler, FrameRefused, NoHooks
from tests.support.engine.browsing import new_session
from tests.support.engine.memory_node import connected, serving_node
from tests.support.engine.virtual_time import on_virtual_time, settle


class Stuck(NoHooks):
    """An application whose handler and check never return.

    Attributes:
        failures: what it was told of.
        running: how many handlers and checks run.
    """

    def __init__(self) -> None:
        self.failures: list[Exception] = []
        self.running = 0

    async def may_join(self, session: Session, room: str) -> bool:
        """Never return."""
        del session, room
        return await self._wait()

    def frame_handler(self, kind: str) -> FrameHandler | None:
        """Return a handler that never returns."""

        async def handle(session: Session, fields: dict[str, Json]) -> None:
            del session, fields
            await self._wait()

        return handle if kind == "wait" else None

    def frame_failed(self, error: Exception) -> None:
        """Note it."""
        self.failures.append(error)

    async def _wait(self) -> bool:
        self.running += 1
        try:
            return bool(await asyncio.Event().wait())
        finally:
            self.running -= 1


@on_virtual_time
async def test_what_never_returns_is_cancelled_and_the_socket_goes_on() -> None:
    node, stuck = serving_node(), Stuck()
    assert await node.engine.rooms.create("den") is None
    client = await connected(node)
    client.socket._hooks = stuck
    for text in ('{"type":"wait"}', '{"type":"join","room":"den"}'):
        handling = asyncio.ensure_future(client.socket.receive(text))
        await asyncio.sleep(HANDLER_SECONDS - 1)
        assert stuck.running == 1
        await asyncio.sleep(2)
        assert handling.done()
        assert stuck.running == 0
    await client.socket.receive('{"type":"ping"}')
    await settle()
    assert client.peer.types() == ["hello", "error", "error", "pong"]
    assert {frame["code"] for frame in client.peer.frames[1:3]} == {"internal"}
    assert [type(each) for each in stuck.failures] == [TimeoutError, TimeoutError]


class Leaving(Stuck):
    """An application whose handler and check want to end more than themselves.

    Attributes:
        fault: what they raise.
    """

    def __init__(self, fault: BaseException) -> None:
        super().__init__()
        self.fault = fault

    async def _wait(self) -> bool:
        raise self.fault


@pytest.mark.parametrize("fault", [SystemExit(78), asyncio.CancelledError()])
@on_virtual_time
async def test_what_wants_to_end_the_process_is_an_error_and_the_socket_goes_on(
    fault: BaseException,
) -> None:
    node, leaving = serving_node(), Leaving(fault)
    assert await node.engine.rooms.create("den") is None
    client = await connected(node)
    client.socket._hooks = leaving
    for text in ('{"type":"wait"}', '{"type":"join","room":"den"}', '{"type":"ping"}'):
        await client.socket.receive(text)
    await settle()
    assert client.peer.types() == ["hello", "error", "error", "pong"]
    assert {frame["code"] for frame in client.peer.frames[1:3]} == {"internal"}
    assert [type(each.__cause__) for each in leaving.failures] == [type(fault)] * 2


async def test_without_hooks_nobody_joins_by_request_and_no_other_frame_is_known() -> None:
    assert NO_HOOKS.joins_rooms
    assert not await NO_HOOKS.may_join(new_session(1.0), "den")
    assert NO_HOOKS.frame_handler("move") is None


def test_a_refusal_has_a_code_and_a_sentence() -> None:
    refused = FrameRefused("full", "There is no room.")
    assert (refused.code, refused.detail, str(refused)) == ("full", "There is no room.", "full")
