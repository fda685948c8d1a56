"""Time is the store's: deadlines are compared on one clock, however wrong the nodes' clocks are."""

import time
from typing import Final

from redis.asyncio import Redis

from server.store.connection import execute

LONGEST_ROUND_TRIP: Final = 0.1
"""Seconds. A reading is wrong by half of its round trip at most."""


class StoreClock:
    """The store's clock as this node knows it: one reading, and the monotonic clock since then.

    Args:
        client: the store.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._offset = 0.0

    def now(self) -> float:
        """Return Unix seconds on the store's clock, without a request to the store."""
        return time.monotonic() + self._offset

    async def synchronise(self) -> None:
        """Read the store's clock.

        Raises:
            StoreUnavailable: the store did not answer; the earlier reading stays in use.
        """
        before = time.monotonic()
        seconds, microseconds = await execute("TIME", self._client.time)
        self.learn(seconds + microseconds / 1_000_000, asked_at=before)

    def learn(self, store_time: float, *, asked_at: float) -> None:
        """Take over a reading, which is assumed to be from the middle of its round trip.

        A reading from a slow round trip is too inexact. It is ignored, unless it is the first.

        Args:
            store_time: Unix seconds on the store's clock.
            asked_at: the monotonic clock when the request was sent.
        """
        answered_at = time.monotonic()
        if answered_at - asked_at <= LONGEST_ROUND_TRIP or not self._offset:
            self._offset = store_time - (asked_at + answered_at) / 2
