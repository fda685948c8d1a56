"""Has pipelined requests wait for their turn: one in each turn of the loop, whoever sent them."""

import asyncio
from collections import deque
from collections.abc import Callable


class Turns:
    """A queue of what is to be done, one after the other with everybody else in between.

    A client that waits for its answer before it asks again is never in it. One that sends a
    thousand requests at once gets on when nothing else is to be done, on however many connections.

    Args:
        loop: in whose turns.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[Callable[[], None]] = deque()

    def wait(self, act: Callable[[], None]) -> None:
        """Act when those who came before have had their turn."""
        self._waiting.append(act)
        if len(self._waiting) == 1:
            self._loop.call_soon(self._take)

    def _take(self) -> None:
        act = self._waiting.popleft()
        if self._waiting:
            self._loop.call_soon(self._take)
        act()
