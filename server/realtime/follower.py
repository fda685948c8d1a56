"""Follows the control stream by position, on a connection of its own, whatever happens to it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from server.core.errors import StoreUnavailable
from server.store.contract import Batch, ControlLog, Positions

log = logging.getLogger("curfew.follower")

FIRST_PAUSE: Final = 0.05
"""Seconds before the first new try; doubles up to LONGEST_PAUSE."""
LONGEST_PAUSE: Final = 0.5
CATCH_UP: Final = 1.0
"""Seconds for reading to the end. A stream that is filled faster is skipped, and made up for."""


class Follower:
    """Reads the streams for ever and hands on what they bring.

    Args:
        control: the streams.
        on_batch: given every batch, in order; the next is read when it is done.
        on_loss: called when entries were lost, after the position moved behind the loss.
        on_proof: told when all entries from before a moment (monotonic, in seconds) were applied.
        monotonic: seconds, never set back.
    """

    def __init__(
        self,
        control: ControlLog,
        on_batch: Callable[[Batch], Awaitable[None]],
        on_loss: Callable[[], Awaitable[object]],
        on_proof: Callable[[float], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._control = control
        self._on_batch = on_batch
        self._on_loss = on_loss
        self._on_proof = on_proof
        self._monotonic = monotonic
        self._positions: Positions = {}
        self._failures = 0
        self._behind_since: float | None = None

    async def start(self) -> None:
        """Take the streams' ends as the position. Before this node serves or is listed.

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
        batch = await self._control.read(self._positions)
        if batch.lost_entries:
            log.warning("control stream: entries were lost")
            await self._skip()
            return
        if batch.events or batch.acknowledgements or batch.refused:
            await self._on_batch(batch)
        self._positions = batch.positions
        if batch.is_last:
            self._behind_since = None
            self._on_proof(asked_at)
        else:
            await self._skip_flood(asked_at)

    async def _skip_flood(self, asked_at: float) -> None:
        self._behind_since = self._behind_since or asked_at
        if self._monotonic() - self._behind_since > CATCH_UP:
            log.warning("control stream: it is filled faster than it can be read")
            await self._skip()

    async def _skip(self) -> None:
        """Take up the end of the streams, and only then compare: what comes later is read.

        Whatever ended before the question is closed by then, so it is a proof like any other.
        """
        asked_at = self._monotonic()
        positions = await self._control.tail()
        await self._on_loss()
        self._positions, self._behind_since = positions, None
        self._on_proof(asked_at)

    async def _pause(self, error: StoreUnavailable) -> None:
        if not self._failures:
            log.warning("control stream: %s; will resume at the same position", error)
        await self._control.disconnect()
        await asyncio.sleep(min(FIRST_PAUSE * 2**self._failures, LONGEST_PAUSE))
        self._failures = min(self._failures + 1, 16)
