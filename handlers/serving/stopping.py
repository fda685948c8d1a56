"""The request to stop, which a worker process gets from its parent."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager


class StopRequest:
    """Comes by SIGTERM, or by the end of the parent process; cancels a start that still waits.

    Make it in the task that starts and serves.

    Args:
        parent: file descriptor that reaches its end of file when the parent is gone.
    """

    def __init__(self, parent: int) -> None:
        self._parent = parent
        self._asked = asyncio.Event()
        self._starting = asyncio.current_task()
        self._loop = asyncio.get_running_loop()
        self._loop.add_signal_handler(signal.SIGTERM, self._ask)
        self._loop.add_reader(parent, self._ask)

    @property
    def is_asked(self) -> bool:
        """Whether it has come."""
        return self._asked.is_set()

    @contextmanager
    def cancels(self) -> Iterator[None]:
        """Let it cancel the block, which starts. What a start that failed puts away goes on."""
        try:
            yield
        finally:
            self._starting = None

    async def wait(self) -> None:
        """Wait for it. The start is over: from here on nothing is cancelled."""
        self._starting = None
        await self._asked.wait()

    def _ask(self) -> None:
        self._asked.set()
        self._loop.remove_reader(self._parent)  # at its end of file it is readable all the time
        if self._starting is not None:
            self._starting.cancel()
            self._starting = None


async def until_stopped(parent: int, serve: Callable[[StopRequest], Awaitable[None]]) -> None:
    """Run `serve`, which starts and then waits for the request; return when it has come.

    Args:
        parent: as `StopRequest` takes it.
        serve: is cancelled if the request comes before it waits for it.
    """
    stop = StopRequest(parent)
    try:
        await serve(stop)
    except asyncio.CancelledError:
        if not stop.is_asked:
            raise
