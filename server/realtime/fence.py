"""The fence: whether this node may serve at all.

A node serves only while it holds two proofs that are younger than its lease: that it is on the list
of nodes, and that it has read the control stream to its end. Each proof counts from before the
question was asked, on the monotonic clock. So a process that was paused finds the fence closed
before it serves its first byte. Whoever ends a session can therefore wait until every listed node
has acknowledged or lost its lease, and then knows that no node serves the session.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from datetime import timedelta

from server.core.errors import StoreUnavailable
from server.realtime.shard_sockets import LocalSockets

log = logging.getLogger("curfew.fence")


class Fence:
    """Opens and closes by proofs, and holds the sockets while it is closed.

    Args:
        sockets: the sockets on this node.
        compare: compares all sessions with sockets here with the store. It runs before the fence
            opens again, so that sockets of sessions that ended meanwhile close with the reason.
        lease: how long a proof is valid.
        hold_timeout: how long sockets are held before they are closed.
        monotonic: seconds on a clock that is never set back.
        vouched_at: returns a moment at which the store's master still was the master. What an old
            master says later is no proof.
        store: what the proofs are about, for the log.
    """

    def __init__(
        self,
        sockets: LocalSockets,
        compare: Callable[[], Awaitable[object]],
        lease: timedelta,
        hold_timeout: timedelta,
        monotonic: Callable[[], float],
        vouched_at: Callable[[], float] = lambda: math.inf,
        store: str = "the store",
    ) -> None:
        self._sockets = sockets
        self._compare = compare
        self._lease = lease.total_seconds()
        self._hold_timeout = hold_timeout.total_seconds()
        self._monotonic = monotonic
        self._vouched_at = vouched_at
        self._store = store
        self._listed_at = self._followed_at = float("-inf")
        self._held_at: float | None = monotonic()
        self._changed = asyncio.Event()

    def of(self, _sid: str) -> "Fence":
        """Return this fence, which is the fence of every session."""
        return self

    @property
    def held(self) -> int:
        """How many sockets are held."""
        if self.is_open:
            return 0
        return sum(len(each.connections) for each in self._sockets.sessions())

    @property
    def is_open(self) -> bool:
        """Whether this node may serve now."""
        return self._held_at is None and self._monotonic() < self._proved_until

    @property
    def follows(self) -> bool:
        """Whether the control stream reaches this node. Without it, the lease is not renewed."""
        return self._monotonic() < self._followed_at + self._lease

    @property
    def lacks_listing(self) -> bool:
        """Whether the latest proof that this node is listed is too old to open the fence.

        So it may be though the answer has just come: nobody has vouched for the master since.
        """
        return self._held_at is not None and self._listed_at <= self._held_at

    @property
    def listed_age(self) -> float:
        """Seconds since the latest proof that this node is listed."""
        return self._monotonic() - self._listed_at

    @property
    def followed_age(self) -> float:
        """Seconds since the latest proof that the control stream was read to its end."""
        return self._monotonic() - self._followed_at

    def note_listed(self, asked_at: float) -> None:
        """Take the proof that this node was listed at some moment after `asked_at`."""
        self._notice_lapse()
        self._listed_at = min(asked_at, self._vouched_at())
        self._changed.set()

    def note_followed(self, asked_at: float) -> None:
        """Take the proof that all entries from before `asked_at` have been applied."""
        self._notice_lapse()
        self._followed_at = min(asked_at, self._vouched_at())
        self._changed.set()

    def require(self) -> None:
        """Raise unless this node may serve now.

        Raises:
            StoreUnavailable: it may not; nothing is known of any session.
        """
        if not self.is_open:
            raise StoreUnavailable("the lease")

    async def opened(self) -> None:
        """Wait until this node may serve."""
        while not self.is_open:
            self._changed.clear()
            await self._changed.wait()

    async def run(self) -> None:
        """Hold, compare and resume, until cancelled."""
        while True:
            if self._held_at is None:
                await self._sleep(self._proved_until - self._monotonic())
                self._notice_lapse()
            else:
                await self._while_held(self._held_at)

    @property
    def _proved_until(self) -> float:
        return min(self._listed_at, self._followed_at) + self._lease

    @property
    def _is_lapsed(self) -> bool:
        return self._monotonic() >= self._proved_until

    def _notice_lapse(self) -> None:
        """Hold the sockets if a proof has expired, even if a new one has just arrived."""
        if self._held_at is None and self._is_lapsed:
            self._held_at = self._monotonic()
            log.warning("no contact with %s for a whole lease: sockets are held", self._store)
            self._sockets.hold()
            self._changed.set()

    async def _while_held(self, held_at: float) -> None:
        left = held_at + self._hold_timeout - self._monotonic()
        if left <= 0:
            self._sockets.close_unverified()
        if min(self._listed_at, self._followed_at) <= held_at or self._is_lapsed:
            await self._sleep(left if left > 0 else self._lease)
            return
        try:
            await self._compare()
        except StoreUnavailable:
            await asyncio.sleep(self._lease / 10)
            return
        if not self._is_lapsed:
            self._held_at = None
            self._sockets.resume()
            self._changed.set()

    async def _sleep(self, seconds: float) -> None:
        """Sleep, but not past a change."""
        self._changed.clear()
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._changed.wait()
        except TimeoutError:
            pass
