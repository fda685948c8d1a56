"""Tells the store how many sockets of each session this node holds, for the account page.

A number per node and session, not steps up and down: repeating it or losing one does no harm.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from server.core.errors import StoreUnavailable
from server.realtime.hub import SessionSockets

log = logging.getLogger("curfew.presence")

SETTLE: Final = 0.05
"""Seconds in which changes are collected: a page reload closes and opens within it."""
RETRY_AFTER: Final = 1.0

Report = Callable[[str, str, int], Awaitable[None]]
"""Given user, session id and count."""


class SocketCountReporter:
    """Reports changed counts, each session's latest one only."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._changed: dict[str, SessionSockets] = {}
        self._wake = asyncio.Event()

    def changed(self, live: SessionSockets) -> None:
        """Note that a session's number of sockets here changed. Anonymous ones are on no list."""
        if live.user is not None:
            self._changed[live.sid] = live
            self._wake.set()

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(SETTLE)
            self._wake.clear()
            try:
                await self.flush()
            except StoreUnavailable:
                self._wake.set()
                await asyncio.sleep(RETRY_AFTER)

    async def flush(self) -> None:
        """Report everything that changed.

        Raises:
            StoreUnavailable: the rest stays noted.
        """
        while self._changed:
            sid, live = self._changed.popitem()
            try:
                await self._report(live.user or "", sid, len(live.connections))
            except StoreUnavailable:
                self._changed.setdefault(sid, live)
                raise
