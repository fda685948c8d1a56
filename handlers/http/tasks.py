"""An application's tasks: each failure is seen, and they are cancelled in order."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

from server.store.contained import contained

log = logging.getLogger("curfew.application")

Work = Coroutine[Any, Any, object]
FIRST_PAUSE: Final = 1.0
"""Seconds before a task that failed runs again."""
LONGEST_PAUSE: Final = 60.0
LAST_SECONDS: Final = 5.0
"""How long all tasks together may take to end one after another. The lifespan comes after them, and
the parent does not wait for long."""
RUSHED_SECONDS: Final = 1.0
"""How long those that are left then may take to end at once."""


class Tasks:
    """Runs tasks until it is stopped.

    Args:
        failed: is told the name of each task that failed.
        first_pause: seconds before a task that failed runs again; later pauses are longer.
    """

    def __init__(
        self, failed: Callable[[str], object] = id, first_pause: float = FIRST_PAUSE
    ) -> None:
        self._failed = failed
        self._first_pause = first_pause
        self._running: dict[asyncio.Task[object], str] = {}
        self._is_stopping = False

    def start(self, work: Work, name: str) -> "asyncio.Task[object]":
        """Run a coroutine. If it fails, that is logged and counted.

        Args:
            work: the coroutine.
            name: of the task, in log lines and metrics. Few names, whatever clients send.

        Raises:
            RuntimeError: this process stops.
        """
        if self._is_stopping:
            work.close()
            raise RuntimeError(f"this process stops, so the task {name} does not begin")
        task: asyncio.Task[object] = asyncio.ensure_future(_contained(work))
        self._running[task] = name
        task.add_done_callback(self._ended)
        task.add_done_callback(lambda _: work.close())  # it may have been cancelled before it began
        return task

    def keep(self, work: Callable[[], Work], name: str) -> None:
        """Run what `work` makes, and after a pause again whenever it fails, until `stop`."""
        self.start(self._keep(work, name), name)

    async def stop(self) -> None:
        """Cancel all tasks, the newest first; the next one when the one before has ended."""
        self._is_stopping = True
        loop, running = asyncio.get_running_loop(), dict(self._running)
        until = loop.time() + LAST_SECONDS
        for task in reversed(running):
            task.cancel()
            if (seconds := until - loop.time()) > 0:
                await asyncio.wait([task], timeout=seconds)
        if left := [each for each in running if not each.done()]:
            await asyncio.wait(left, timeout=RUSHED_SECONDS)
        for task in left:
            if not task.done():
                log.error("the task %s ignores that it was cancelled, and is left", running[task])

    async def _keep(self, work: Callable[[], Work], name: str) -> None:
        pause = self._first_pause
        while True:
            try:
                with contained():
                    await work()
            except Exception as error:  # noqa: BLE001 an application may raise anything
                self.note_failure(name, error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                return

    def _ended(self, task: "asyncio.Task[object]") -> None:
        name = self._running.pop(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.note_failure(name, error)

    def note_failure(self, name: str, error: BaseException) -> None:
        """Log and count a failure."""
        log.error("the task %s failed", name, exc_info=error)
        self._failed(name)


async def _contained(work: Work) -> object:
    with contained():
        return await work
