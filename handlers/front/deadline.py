"""A deadline that every request moves, at no cost."""

import asyncio
import math
from collections.abc import Callable


class Deadline:
    """Calls once, when a time has come that may be moved any number of times.

    To move it later costs nothing: the loop's timer stays, and sets itself again when it fires.

    Args:
        loop: whose clock counts.
        expired: what to call.
    """

    __slots__ = ("_at", "_expired", "_loop", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, expired: Callable[[], None]) -> None:
        self._loop = loop
        self._expired = expired
        self._at = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def set(self, at: float) -> None:
        """Call at this time of the loop's clock, and not at the one before."""
        self._at = at
        if self._timer is not None and self._timer.when() > at:
            self._timer.cancel()
            self._timer = None
        if self._timer is None and at < math.inf:
            self._timer = self._loop.call_at(at, self._look)

    def clear(self) -> None:
        """Do not call."""
        self._at = math.inf

    def cancel(self) -> None:
        """Never call again, and drop the reference to the function."""
        self.clear()
        self._expired = _nothing
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        timer, self._timer = self._timer, None
        if self._at == math.inf:
            return
        # The loop calls up to a tick of its clock early: what is due by the timer is due.
        if timer is not None and self._at <= max(timer.when(), self._loop.time()):
            self._at = math.inf
            self._expired()
        else:
            self.set(self._at)


def _nothing() -> None:
    pass
