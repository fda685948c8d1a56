"""The asynchronous twin of `tests.support.running.processes.eventually`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tests.support.running.processes import PATIENCE_SECONDS, POLL_SECONDS

T = TypeVar("T")


async def until(question: Callable[[], Awaitable[T]], seconds: float = PATIENCE_SECONDS) -> T:
    """Ask until the answer is true, and return it; fail the test when it stays false."""
    async with asyncio.timeout(seconds):
        while not (answer := await question()):  # noqa: ASYNC110 - others' processes set no event
            await asyncio.sleep(POLL_SECONDS)
        return answer
