"""How long the store may take to answer, whatever keeps this process busy meanwhile.

A timer of the event loop measures both. When the loop was busy for a second, or the machine gave
the process no time, the answer may lie there unread while the timer has run out: the loop sees both
in the same turn, and the timer would win. On a busy machine that made a store that had answered
at once one that did not answer, on all connections at the same moment.
"""

import asyncio
from types import TracebackType
from typing import Final, Self

LATE: Final = 0.05
"""Seconds by which a timer may run late before it says something of this process."""


class Patience:
    """Cancels its body when the time is over, like `asyncio.timeout`.

    A timer that runs out late waits once more, for as long as it was late, but no longer than the
    first time: the answer that came meanwhile is read first.

    Args:
        seconds: how long the body may take; None for ever.

    Raises:
        TimeoutError: it took longer.
    """

    __slots__ = ("_due", "_loop", "_may_wait", "_seconds", "_timeout", "_timer")

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._timeout = asyncio.timeout(None)
        self._may_wait = True
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        """Begin."""
        await self._timeout.__aenter__()
        if self._seconds is not None:
            self._wait(self._seconds)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End; say so if the time was over."""
        if self._timer is not None:
            self._timer.cancel()
        await self._timeout.__aexit__(kind, error, trace)

    def _wait(self, seconds: float) -> None:
        self._due = self._loop.time() + seconds
        self._timer = self._loop.call_at(self._due, self._look)

    def _look(self) -> None:
        late = self._loop.time() - self._due
        if self._seconds and self._may_wait and late > LATE:
            self._may_wait = False
            self._wait(min(late, self._seconds))
        else:
            self._timeout.reschedule(self._due)
