"""Patience with the store: the time that this process was busy is not the store's."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from handlers.serving.loop import AUTO, loop_factory
from server.store.patience import LATE, Patience

SHORT, BUSY = 0.01, 0.01 + 2 * LATE
TURNS = 8
AN_HOUR, A_MINUTE = 3600.0, 60.0

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Both ends of a connection."""
    here, there = socket.socketpair()
    here.setblocking(False)
    with here, there:
        yield here, there


async def hear(here: socket.socket, meanwhile: Callable[[], object]) -> bytes:
    """Wait for what comes, while something keeps the loop busy; to read it takes some turns."""
    loop = asyncio.get_running_loop()
    async with Patience(SHORT):
        loop.call_soon(meanwhile)
        heard = await loop.sock_recv(here, 16)
        for _ in range(TURNS):
            await asyncio.sleep(0)
        return heard


@pytest.mark.parametrize("kind", [AUTO, "asyncio"])
def test_what_came_while_the_process_was_busy_came_in_time(ends: Ends, kind: str) -> None:
    here, there = ends

    def answer() -> None:
        there.sendall(b"answer")
        time.sleep(BUSY)

    with asyncio.Runner(loop_factory=loop_factory(kind)) as runner:
        assert runner.run(hear(here, answer)) == b"answer"


@pytest.mark.parametrize("seconds", [0.0, BUSY])
async def test_a_store_that_says_nothing_is_noticed_all_the_same(
    ends: Ends, seconds: float
) -> None:
    with pytest.raises(TimeoutError):
        await hear(ends[0], lambda: time.sleep(seconds))


async def test_a_process_that_slept_for_long_waits_no_longer_than_the_first_time() -> None:
    nothing: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def wait() -> None:
        async with Patience(SHORT) as patience:
            patience._due -= AN_HOUR  # as if the machine had slept before the timer ran
            await asyncio.wait([nothing], timeout=A_MINUTE)

    with pytest.raises(TimeoutError):
        await wait()


async def test_without_a_bound_it_waits() -> None:
    async with Patience(None):
        assert await asyncio.sleep(SHORT, result=True)
