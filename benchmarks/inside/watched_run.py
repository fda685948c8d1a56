"""`run.py` with a note of how late its event loop comes: every 10 ms it should be there."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from benchmarks.inside.worker import run_watched

EVERY: Final = 0.01


@contextmanager
def lateness() -> Iterator[list[tuple[float, float]]]:
    """Note how late each of the loop's turns comes, and when, by `time.perf_counter`."""
    watch = _Watch(asyncio.get_running_loop())
    watch.wait()
    try:
        yield watch.notes
    finally:
        watch.timer.cancel()


class _Watch:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.notes: list[tuple[float, float]] = []
        self._loop = loop

    def wait(self) -> None:
        due = time.perf_counter() + EVERY
        self.timer = self._loop.call_later(EVERY, self._look, due)

    def _look(self, due: float) -> None:
        now = time.perf_counter()
        self.notes.append((now, now - due))
        self.wait()


if __name__ == "__main__":
    run_watched(lateness)
