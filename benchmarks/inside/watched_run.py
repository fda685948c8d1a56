"""`run.py` with a note of how late its event loop comes: every 5 ms it should be there.

It begins to look when SIGUSR1 comes, so that what a server costs can be measured without.
"""

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from benchmarks.inside.worker import run_watched

EVERY: Final = 0.005


@contextmanager
def lateness() -> Iterator[list[tuple[float, float]]]:
    """Note how late each of the loop's turns comes, and when, by `time.perf_counter`."""
    watch = _Watch(asyncio.get_running_loop())
    yield watch.notes


class _Watch:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.notes: list[tuple[float, float]] = []
        self._loop = loop
        loop.add_signal_handler(signal.SIGUSR1, self._wait)

    def _wait(self) -> None:
        self._loop.call_later(EVERY, self._look, time.perf_counter() + EVERY)

    def _look(self, due: float) -> None:
        now = time.perf_counter()
        self.notes.append((now, now - due))
        self._wait()


if __name__ == "__main__":
    run_watched(lateness)
