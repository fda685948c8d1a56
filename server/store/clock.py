"""Time is the store's: deadlines are compared on one clock, whatever the nodes' own clocks say."""

import time
from typing import Final

from redis.asyncio import Redis

from server.store.connection import ask

LONGEST_ROUND_TRIP: Final = 0.1
"""Seconds; half of it is the largest error of a reading."""


class StoreClock:
    """The store's clock as this node knows it: one reading, and the monotonic clock since."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._offset = 0.0

    def now(self) -> float:
        """Unix seconds on the store's clock, without asking it."""
        return time.monotonic() + self._offset

    async def synchronise(self) -> None:
        """Read the store's clock.

        Raises:
            StoreUnavailable: the store did not answer; the earlier reading stays.
        """
        before = time.monotonic()
        seconds, microseconds = await ask("TIME", self._client.time)
        self.learn(seconds + microseconds / 1_000_000, asked_at=before)

    def learn(self, store_time: float, *, asked_at: float) -> None:
        """Take a reading from a reply; the request's way is taken as half of the round trip.

        A reply that took long tells little, so it is left aside.

        Args:
            store_time: Unix seconds on the store's clock.
            asked_at: the monotonic clock when the store was asked.
        """
        answered_at = time.monotonic()
        if answered_at - asked_at <= LONGEST_ROUND_TRIP or not self._offset:
            self._offset = store_time - (asked_at + answered_at) / 2
