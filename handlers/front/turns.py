"""Pipelined requests wait for their turn: one begins in each turn of the loop."""

import asyncio
from collections import deque
from collections.abc import Callable


class Turns:
    """A queue over all connections. Between two of its entries, the loop does everything else.

    A client that waits for each answer is never in it. One that sends a thousand requests at once,
    on one connection or on many, slows down only itself.

    Args:
        loop: runs one entry in each turn.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[Callable[[], None]] = deque()

    def wait(self, act: Callable[[], None]) -> None:
        """Call `act` when all earlier entries have had their turn."""
        self._waiting.append(act)
        if len(self._waiting) == 1:
            self._loop.call_soon(self._take)

    def _take(self) -> None:
        act = self._waiting.popleft()
        if self._waiting:
            self._loop.call_soon(self._take)
        act()
