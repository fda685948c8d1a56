"""The request to stop: it ends a start that waits, and never cancels what serves."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator

import pytest

from handlers.serving.stopping import StopRequest, until_stopped


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


class Served:
    """Starts, serves and stops.

    Args:
        start: runs before it serves.
    """

    def __init__(self, start: Callable[[], Awaitable[object]]) -> None:
        self._start = start
        self.begun = asyncio.Event()
        self.is_done = False

    async def __call__(self, stop: StopRequest) -> None:
        """Run."""
        self.begun.set()
        try:
            await self._start()
            await stop.wait()
            await asyncio.sleep(0.05)  # draining, which nothing may cancel
            self.is_done = True
        finally:
            asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)


@each_way
async def test_a_start_that_waits_is_ended(
    pipe: tuple[int, list[int]], ask: Callable[[list[int]], None]
) -> None:
    served = Served(asyncio.Event().wait)
    serving = asyncio.create_task(until_stopped(pipe[0], served))
    await served.begun.wait()
    ask(pipe[1])
    await serving
    assert not served.is_done


@each_way
async def test_who_serves_is_asked_and_not_cancelled(
    pipe: tuple[int, list[int]], ask: Callable[[list[int]], None]
) -> None:
    served = Served(lambda: asyncio.sleep(0))
    serving = asyncio.create_task(until_stopped(pipe[0], served))
    await served.begun.wait()
    await asyncio.sleep(0.05)
    assert not serving.done()
    ask(pipe[1])
    await serving
    assert served.is_done


async def test_what_a_failed_start_puts_away_is_not_cancelled(pipe: tuple[int, list[int]]) -> None:
    put_away = False

    async def serve(stop: StopRequest) -> None:
        nonlocal put_away
        try:
            with stop.cancels():
                raise RuntimeError
        finally:
            by_signal(pipe[1])
            await asyncio.sleep(0.05)
            put_away = True
            asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)

    with pytest.raises(RuntimeError):
        await until_stopped(pipe[0], serve)
    assert put_away


async def test_another_cancellation_is_no_request(pipe: tuple[int, list[int]]) -> None:
    served = Served(asyncio.Event().wait)
    serving = asyncio.create_task(until_stopped(pipe[0], served))
    await served.begun.wait()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
