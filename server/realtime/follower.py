"""Follows the control stream by position on its own connection, and resumes after failures."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from server.core.errors import StoreMoved, StoreUnavailable
from server.core.shared_pace import LONGEST, SharedPace
from server.store.stream_contract import Batch, ControlLog, Positions

log = logging.getLogger("curfew.follower")

FIRST_PAUSE: Final = 0.05
"""Seconds before the first new try. The pause doubles with each try, up to MAX_PAUSE."""
MAX_PAUSE: Final = 0.5
MOVED_PAUSE: Final = 0.1
"""The longest pause while the store's server is not a master that serves: the next connection may
lead to one, and the node is to serve again within a second of it."""
READS_TOGETHER: Final = 2_000.0
"""Reads of all nodes in a second, for long. With their acknowledgements that is a quarter of a core
of the store (docs/capacity.md)."""
AT_ONCE: Final = 50.0
"""Reads of one node without a pause, if it has not read for a while."""
ACKNOWLEDGED_WITHIN: Final = 50e-6
"""Seconds, for each node, in which acknowledgements of one end arrive. They are read together: the
store needs longer for as many reads of one each."""
CATCH_UP: Final = 1.0
"""Seconds for reading to the end. If a stream is filled faster, its entries are skipped, and all
sessions are compared with the store instead."""


class Follower:
    """Reads the streams and passes on what they bring.

    Args:
        control: the streams.
        on_batch: applies a batch. Batches come in order, one at a time.
        on_loss: makes up for entries that were lost before the new position.
        on_proof: called when all entries from before a moment have been applied, with that
            moment in seconds of the monotonic clock.
        monotonic: seconds on a clock that is never set back.
        awaits: returns whether this node waits for acknowledgements now.
        nodes: returns how many nodes read the same streams, as far as this one knows.
    """

    def __init__(
        self,
        control: ControlLog,
        on_batch: Callable[[Batch], Awaitable[None]],
        on_loss: Callable[[], Awaitable[object]],
        on_proof: Callable[[float], None],
        monotonic: Callable[[], float],
        awaits: Callable[[], bool],
        nodes: Callable[[], int],
    ) -> None:
        self._control = control
        self._on_batch = on_batch
        self._on_loss = on_loss
        self._on_proof = on_proof
        self._monotonic = monotonic
        self._awaits = awaits
        self._nodes = nodes
        self._pace = SharedPace(READS_TOGETHER, AT_ONCE)
        self._positions: Positions = {}
        self._failures = 0
        self._behind_since: float | None = None

    async def start(self) -> None:
        """Start from the ends of the streams. Call it before this node serves or is listed.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        asked_at = self._monotonic()
        self._positions = await self._control.tail()
        self._on_proof(asked_at)

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                await self._step()
                self._failures = 0
            except StoreUnavailable as error:
                await self._pause(error)

    async def _step(self) -> None:
        asked_at = self._monotonic()
        batch = await self._control.read(self._positions, self._awaits)
        if batch.lost_entries:
            log.warning("entries of the control stream may have been lost")
            await self._skip(batch.resume)
            return
        if batch.events or batch.acknowledgements or batch.refused:
            await self._on_batch(batch)
        self._positions = batch.positions
        if not batch.is_last:
            await self._skip_flood(asked_at)
            return
        self._behind_since = None
        self._on_proof(asked_at)
        if not batch.has_more:
            await self._let_others_read(batch)

    async def _let_others_read(self, batch: Batch) -> None:
        """Pause if this node has read often lately: what comes meanwhile is read together."""
        pause = self._pace.pause_after(self._monotonic(), self._nodes())
        if batch.acknowledgements:
            pause = max(pause, min(LONGEST, self._nodes() * ACKNOWLEDGED_WITHIN))
        if pause:
            await asyncio.sleep(pause)

    async def _skip_flood(self, asked_at: float) -> None:
        self._behind_since = self._behind_since or asked_at
        if self._monotonic() - self._behind_since > CATCH_UP:
            log.warning("the control stream is filled faster than it can be read")
            await self._skip()

    async def _skip(self, resume: Positions | None = None) -> None:
        """Move to the ends of the streams, and then compare. Later entries are read as usual.

        The sockets of all sessions that ended before are closed afterwards, so this is a proof
        like any other.

        Args:
            resume: where to read on instead, if entries that were not read yet seem to be there:
                ends among them are then acknowledged, too.
        """
        asked_at = self._monotonic()
        positions = resume or await self._control.tail()
        await self._on_loss()
        self._positions, self._behind_since = positions, None
        self._on_proof(asked_at)

    async def _pause(self, error: StoreUnavailable) -> None:
        if not self._failures:
            log.warning("control stream: %s; reading resumes at the same position", error)
        await self._control.disconnect()
        longest = MOVED_PAUSE if isinstance(error, StoreMoved) else MAX_PAUSE
        await asyncio.sleep(min(FIRST_PAUSE * 2**self._failures, longest))
        self._failures = min(self._failures + 1, 16)
