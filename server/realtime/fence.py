"""The fence: whether this node may serve at all.

A node serves only while it can prove two things that are younger than its lease: that it is listed
among the nodes, and that the control stream reaches it and it has read it to the end. Both proofs
count from before the question was asked, on the monotonic clock, so a process that was paused
finds the fence shut before it serves its first byte. Whoever ends a session may therefore wait for
every listed node to acknowledge or for its lease to run out, and then knows that nobody serves it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from server.core.errors import StoreUnavailable
from server.realtime.hub import Hub

log = logging.getLogger("curfew.fence")


class Fence:
    """Opens and shuts by proofs; holds sockets while it is shut.

    Args:
        hub: the sockets here.
        compare: compares all sessions with sockets here with the store; before the fence opens
            again, what ended meanwhile is closed with its true reason.
        lease: how long a proof is good for.
        hold_timeout: how long sockets are held before they are closed.
        monotonic: seconds, never set back.
    """

    def __init__(
        self,
        hub: Hub,
        compare: Callable[[], Awaitable[object]],
        lease: timedelta,
        hold_timeout: timedelta,
        monotonic: Callable[[], float],
    ) -> None:
        self._hub = hub
        self._compare = compare
        self._lease = lease.total_seconds()
        self._hold_timeout = hold_timeout.total_seconds()
        self._monotonic = monotonic
        self._listed_at = self._followed_at = float("-inf")
        self._held_at: float | None = monotonic()
        self._changed = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether this node may serve now."""
        return self._held_at is None and self._monotonic() < self._proved_until

    @property
    def follows(self) -> bool:
        """Whether the control stream is known to reach this node; else it may not renew."""
        return self._monotonic() < self._followed_at + self._lease

    @property
    def listed_age(self) -> float:
        """Seconds since the latest proof that this node is listed."""
        return self._monotonic() - self._listed_at

    @property
    def followed_age(self) -> float:
        """Seconds since the latest proof that the control stream was read to its end."""
        return self._monotonic() - self._followed_at

    def listed(self, asked_at: float) -> None:
        """This node was on the list at some moment after `asked_at`."""
        self._notice_lapse()
        self._listed_at = asked_at
        self._changed.set()

    def followed(self, asked_at: float) -> None:
        """All of the stream's entries from before `asked_at` have been applied."""
        self._notice_lapse()
        self._followed_at = asked_at
        self._changed.set()

    def require(self) -> None:
        """Go on only while this node may serve.

        Raises:
            StoreUnavailable: it may not; unknown is not ended.
        """
        if not self.is_open:
            raise StoreUnavailable("the lease")

    async def opened(self) -> None:
        """Wait until this node may serve."""
        while not self.is_open:
            self._changed.clear()
            await self._changed.wait()

    async def run(self) -> None:
        """Hold, compare, resume; until cancelled."""
        while True:
            if self._held_at is None:
                await self._sleep(self._proved_until - self._monotonic())
                self._notice_lapse()
            else:
                await self._while_held(self._held_at)

    @property
    def _proved_until(self) -> float:
        return min(self._listed_at, self._followed_at) + self._lease

    def _notice_lapse(self) -> None:
        """A lapse sticks even when new proofs arrive before anybody looked: compare first."""
        if self._held_at is None and self._monotonic() >= self._proved_until:
            self._held_at = self._monotonic()
            log.warning("no contact with the store for a lease; sockets are held")
            self._hub.hold()
            self._changed.set()

    async def _while_held(self, held_at: float) -> None:
        left = held_at + self._hold_timeout - self._monotonic()
        if left <= 0:
            self._hub.close_unverified()
        if min(self._listed_at, self._followed_at) <= held_at or self._is_stale():
            await self._sleep(left if left > 0 else self._lease)
            return
        try:
            await self._compare()
        except StoreUnavailable:
            await asyncio.sleep(self._lease / 10)
            return
        if not self._is_stale():
            self._held_at = None
            self._hub.resume()
            self._changed.set()

    def _is_stale(self) -> bool:
        return self._monotonic() >= self._proved_until

    async def _sleep(self, seconds: float) -> None:
        """Sleep, but not past a change."""
        self._changed.clear()
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._changed.wait()
        except TimeoutError:
            pass
