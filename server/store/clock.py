"""Time is the store's: deadlines are compared on one clock, however wrong the nodes' clocks are.

That clock may be set. So no lease is measured on it, and nodes that have not yet noticed a step are
still understood.
"""

import logging
import time
from collections.abc import Callable
from typing import Final

from redis.asyncio import Redis

from server.store.connection import execute

log = logging.getLogger("curfew.clock")

LONGEST_ROUND_TRIP: Final = 0.1
"""Seconds. A reading is wrong by half of its round trip at most."""
READINGS: Final = 3
"""How often the clock is read at most to get an exact reading."""
SMALLEST_STEP: Final = 1.0
"""Seconds. A smaller difference between two readings is drift, or a slow round trip."""
STEPS_REMEMBERED: Final = 60.0
"""Seconds. Every node that serves reads the clock in each lease, and has noticed a step by then."""


class StoreClock:
    """The store's clock as this node knows it: one reading, and the monotonic clock since then.

    Args:
        client: the store.
        monotonic: seconds on a clock that is never set back.
    """

    def __init__(self, client: Redis, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._monotonic = monotonic
        self._offset = 0.0
        self._former: list[tuple[float, float]] = []
        self._observers: list[Callable[[], object]] = []

    def subscribe(self, observer: Callable[[], object]) -> None:
        """Call `observer` when the store's clock is found to have been set."""
        self._observers.append(observer)

    def steps(self) -> list[float]:
        """Return by how many seconds the clock was set in the last minute, up to now, each.

        A node that has not noticed yet reads the clock wrong by one of these.
        """
        now = self._monotonic()
        self._former = [each for each in self._former if now < each[1] + STEPS_REMEMBERED]
        return [self._offset - offset for offset, _ in self._former]

    def now(self) -> float:
        """Return Unix seconds on the store's clock, without a request to the store."""
        return self._monotonic() + self._offset

    async def synchronise(self) -> None:
        """Read the store's clock, some times if the answers take long.

        Raises:
            StoreUnavailable: the store did not answer; the earlier reading stays in use.
        """
        for _ in range(READINGS):
            before = self._monotonic()
            seconds, microseconds = await execute("TIME", self._client.time)
            self.learn(seconds + microseconds / 1_000_000, asked_at=before)
            if self._monotonic() - before <= LONGEST_ROUND_TRIP:
                return

    def learn(self, store_time: float, *, asked_at: float) -> None:
        """Take over a reading, which is assumed to be from the middle of its round trip.

        A reading from a slow round trip is too inexact. It is ignored, unless it is the first.

        Args:
            store_time: Unix seconds on the store's clock.
            asked_at: the monotonic clock when the request was sent.
        """
        answered_at = self._monotonic()
        if answered_at - asked_at <= LONGEST_ROUND_TRIP or not self._offset:
            former, self._offset = self._offset, store_time - (asked_at + answered_at) / 2
            if former and abs(self._offset - former) > SMALLEST_STEP:
                self._notice_step(former, answered_at)

    def _notice_step(self, former: float, now: float) -> None:
        log.warning("the store's clock was set by %+.1f s", self._offset - former)
        self._former.append((former, now))
        for observer in self._observers:
            observer()
