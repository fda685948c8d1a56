"""Compares the sessions with sockets here with the store: what any lost message would have told.

It runs when the control stream lost entries, and slowly all the time.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import islice
from typing import Final

from server.core.counts import Counts
from server.core.errors import StoreUnavailable, WriteConflict
from server.core.reasons import NoSession
from server.core.session import Session
from server.realtime.deadlines import CurrentSession
from server.realtime.hub import Hub

log = logging.getLogger("curfew.reconciler")

LEAST_PAUSE: Final = 1.0
"""Seconds between two sweeps that somebody asked for."""
AT_ONCE: Final = 200
"""Sessions looked at together: one command's worth, and the event loop stays free between."""


class Reconciler:
    """Closes the sockets of sessions that the store does not have any more.

    Args:
        hub: the sockets here.
        current: the session as the store has it, ended first when it is past a deadline.
        interval: between two slow sweeps.
        now: the store's clock, in Unix seconds.
        counts: told of what had to be closed.
    """

    def __init__(
        self,
        hub: Hub,
        current: CurrentSession,
        interval: timedelta,
        now: Callable[[], float],
        counts: Counts,
    ) -> None:
        self._hub = hub
        self._now = now
        self._counts = counts
        self._current = current
        self._interval = interval.total_seconds()
        self._asked = asyncio.Event()

    async def after_hold(self) -> None:
        """Before a node that could not prove contact serves again.

        Raises:
            StoreUnavailable: the rest was not looked at, and stays open.
        """
        await self._compare("lease")

    async def after_loss(self) -> None:
        """Make up for entries of the control stream that were lost.

        Raises:
            StoreUnavailable: the rest was not looked at, and stays open.
        """
        closed = await self._compare("gap")
        log.warning("compared all sessions with the store; %d sockets closed", closed)

    async def in_doubt(self, sids: Iterable[str]) -> int:
        """Close those of these sessions that ended, as an event said without proof; how many.

        Raises:
            StoreUnavailable: the rest was not looked at, and stays open.
        """
        return await self._compare("push", sids)

    def sweep_soon(self) -> None:
        """Something is wrong with the control stream: do not wait for the interval to pass."""
        self._asked.set()

    async def run(self) -> None:
        """Sweep until cancelled. It should find nothing."""
        while True:
            await asyncio.sleep(min(LEAST_PAUSE, self._interval))
            await self._until_due()
            try:
                closed = await self._compare("sweep")
            except StoreUnavailable:
                continue
            self._counts.swept(closed)
            if closed:
                log.warning("sweep closed %d sockets that no message had closed", closed)

    async def _until_due(self) -> None:
        try:
            async with asyncio.timeout(max(0.0, self._interval - LEAST_PAUSE)):
                await self._asked.wait()
        except TimeoutError:
            pass
        self._asked.clear()

    async def _compare(self, path: str, sids_in_doubt: Iterable[str] | None = None) -> int:
        closed = 0
        everything = (live.sid for live in self._hub.sessions())
        remaining = iter(list(everything if sids_in_doubt is None else sids_in_doubt))
        while sids := list(islice(remaining, AT_ONCE)):
            found = await asyncio.gather(*(self._found(sid) for sid in sids))
            for sid, session in zip(sids, found, strict=True):
                if isinstance(session, NoSession):
                    closed += self._close(sid, session, path)
        return closed

    async def _found(self, sid: str) -> Session | NoSession | None:
        try:
            return await self._current(sid)
        except WriteConflict:
            return None  # whoever keeps winning finds it live

    def _close(self, sid: str, no_session: NoSession, path: str) -> int:
        closed = self._hub.end([sid], no_session)
        if closed and no_session.at is not None:
            self._counts.reached(path, self._now() - no_session.at)
        return closed
