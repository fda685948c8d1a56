"""Tasks that run until their process stops."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Final

CANCEL_INTERVAL: Final = 0.1
"""Seconds between two tries to cancel a task."""


class Background:
    """Runs tasks in a group: if one fails, the group ends the process.

    Args:
        group: holds the tasks.
    """

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Run a coroutine until `stop`."""
        self._tasks.append(self._group.create_task(work))

    async def stop(self) -> None:
        """Cancel all tasks until they have ended. Python 3.11's `wait_for` can lose a cancel."""
        while running := [task for task in self._tasks if not task.done()]:
            for task in running:
                task.cancel()
            await asyncio.wait(running, timeout=CANCEL_INTERVAL)


@asynccontextmanager
async def background_tasks() -> AsyncIterator[Background]:
    """Run tasks until the block is left. If one fails, the block ends with the error of that task.

    Raises:
        BaseException: the first error of a task, or of the block, as it is: in no group.
    """
    try:
        async with asyncio.TaskGroup() as group:
            background = Background(group)
            try:
                yield background
            finally:
                await background.stop()
    except BaseExceptionGroup as group_error:
        raise group_error.exceptions[0] from None
