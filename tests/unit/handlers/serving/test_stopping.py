"""The request to stop: it ends a start that waits, and never cancels what serves."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator

import pytest

from handlers.serving.stopping import StopRequest

Ask = Callable[[], None]


@pytest.fixture
def pipe() -> Iterator[tuple[int, list[int]]]:
    """The end that a worker reads, and what its parent holds open."""
    read, write = os.pipe()
    held = [write]
    yield read, held
    for each in (read, *held):
        os.close(each)


def by_signal(held: list[int]) -> None:
    """Send SIGTERM."""
    os.kill(os.getpid(), signal.SIGTERM)
    assert held


def by_the_end_of_the_parent(held: list[int]) -> None:
    """Let the pipe reach its end of file."""
    os.close(held.pop())


each_way = pytest.mark.parametrize("ask", [by_signal, by_the_end_of_the_parent])


async def served(
    parent: int, start: Callable[[], Awaitable[object]], asked: asyncio.Event
) -> tuple[bool, bool]:
    """Start, serve and stop; whether it was cancelled, and whether it was asked to stop."""
    stop = StopRequest(parent)
    asked.set()
    try:
        await start()
        await stop.wait()
        await asyncio.sleep(0.05)  # draining, which nothing may cancel
    except asyncio.CancelledError:
        return True, stop.is_asked
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
    return False, stop.is_asked


@each_way
async def test_a_start_that_waits_is_ended(
    pipe: tuple[int, list[int]], ask: Callable[[list[int]], None]
) -> None:
    ready = asyncio.Event()
    serving = asyncio.create_task(served(pipe[0], asyncio.Event().wait, ready))
    await ready.wait()
    ask(pipe[1])
    assert await serving == (True, True)


@each_way
async def test_who_serves_is_asked_and_not_cancelled(
    pipe: tuple[int, list[int]], ask: Callable[[list[int]], None]
) -> None:
    ready = asyncio.Event()
    serving = asyncio.create_task(served(pipe[0], lambda: asyncio.sleep(0), ready))
    await ready.wait()
    await asyncio.sleep(0.05)
    assert not serving.done()
    ask(pipe[1])
    assert await serving == (False, True)


async def test_another_cancellation_is_no_request(pipe: tuple[int, list[int]]) -> None:
    ready = asyncio.Event()
    serving = asyncio.create_task(served(pipe[0], asyncio.Event().wait, ready))
    await ready.wait()
    serving.cancel()
    assert await serving == (True, False)
