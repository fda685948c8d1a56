"""The heartbeats of a worker: they come from its event loop, so one that is stuck shows none."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from server.processes.watchdog import BEAT_SECONDS


@asynccontextmanager
async def heartbeats(beat: Callable[[], object]) -> AsyncIterator[None]:
    """Call `beat` at once, and then every second while the event loop runs."""

    async def keep_beating() -> None:
        while True:
            beat()
            await asyncio.sleep(BEAT_SECONDS)

    beating = asyncio.create_task(keep_beating())
    try:
        yield
    finally:
        beating.cancel()
