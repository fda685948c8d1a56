"""Compares the sessions with sockets on this node with the store, to make up for lost messages.

It runs when the control stream lost entries, before a held node serves again, and at long
intervals.
"""

import asyncio
import logging
from collections.abc import Iterable
from datetime import timedelta
from itertools import islice
from typing import Final

from server.core.context import NodeContext
from server.core.errors import StoreUnavailable, WriteConflict
from server.core.plurals import counted
from server.core.reasons import NoSession
from server.core.session import Session
from server.realtime.shard_sockets import LocalSockets
from server.sessions.manager import SessionManager

log = logging.getLogger("curfew.reconciler")

MIN_PAUSE: Final = 1.0
"""Seconds between two sweeps, even if one was asked for."""
BATCH_SIZE: Final = 200
"""Sessions read together: one command to the store; the event loop is free between two batches."""


class Reconciler:
    """Closes the sockets of sessions that are not live in the store any more.

    Args:
        sockets: the sockets on this node.
        sessions: reads a session, and ends it if it has expired.
        interval: the time between two periodic sweeps.
        context: this node's clocks and counters.
    """

    def __init__(
        self,
        sockets: LocalSockets,
        sessions: SessionManager,
        interval: timedelta,
        context: NodeContext,
    ) -> None:
        self._sockets = sockets
        self._sessions = sessions
        self._interval = interval.total_seconds()
        self._context = context
        self._sweep_asked = asyncio.Event()

    async def after_hold(self) -> None:
        """Compare all sessions, before a node that was held serves again.

        Raises:
            StoreUnavailable: the sockets of the sessions that were not read stay open.
        """
        await self._compare("lease", self._all())

    async def after_loss(self) -> None:
        """Compare all sessions, because entries of the control stream were lost.

        Raises:
            StoreUnavailable: the sockets of the sessions that were not read stay open.
        """
        closed = await self._compare("gap", self._all())
        log.warning("compared all sessions with the store; %s closed", counted(closed, "socket"))

    async def after_unproved_end(self, sids: Iterable[str]) -> int:
        """Compare the sessions that an event reported as ended without proof.

        Returns:
            How many sockets were closed.

        Raises:
            StoreUnavailable: the sockets of the sessions that were not read stay open.
        """
        return await self._compare("push", sids)

    def sweep_soon(self) -> None:
        """Start the next sweep without waiting for the interval to pass."""
        self._sweep_asked.set()

    async def run(self) -> None:
        """Sweep until cancelled. A sweep should find nothing to close."""
        while True:
            await asyncio.sleep(min(MIN_PAUSE, self._interval))
            await self._wait_until_due()
            try:
                closed = await self._compare("sweep", self._all())
            except StoreUnavailable:
                continue
            self._context.counts.swept(closed)
            if closed:
                log.warning(
                    "a sweep closed %s that no message had closed", counted(closed, "socket")
                )

    async def _wait_until_due(self) -> None:
        try:
            async with asyncio.timeout(max(0.0, self._interval - MIN_PAUSE)):
                await self._sweep_asked.wait()
        except TimeoutError:
            pass
        self._sweep_asked.clear()

    def _all(self) -> list[str]:
        return [each.sid for each in self._sockets.sessions()]

    async def _compare(self, path: str, sids: Iterable[str]) -> int:
        closed, remaining = 0, iter(sids)
        while batch := list(islice(remaining, BATCH_SIZE)):
            found = await asyncio.gather(*(self._read(sid) for sid in batch))
            for sid, session in zip(batch, found, strict=True):
                if isinstance(session, NoSession):
                    closed += await self._close(sid, session, path)
        return closed

    async def _read(self, sid: str) -> Session | NoSession | None:
        try:
            return await self._sessions.current(sid)
        except WriteConflict:
            return None  # the writer that keeps winning finds the session live

    async def _close(self, sid: str, no_session: NoSession, path: str) -> int:
        closed = self._sockets.close_sessions([sid], no_session)
        if closed:
            if no_session.at is not None:
                self._context.counts.reached(path, self._context.now() - no_session.at)
            await asyncio.sleep(0)  # others have their turn: many sessions may have ended
        return closed
