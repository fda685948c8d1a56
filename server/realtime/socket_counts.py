"""Writes the number of each session's sockets on this node to the store, for the account page.

It writes totals, not steps up and down: repeating one or losing one does no harm.
"""

import asyncio
from typing import Final

from server.core.errors import StoreUnavailable
from server.realtime.hub import SessionSockets
from server.store.contract import SessionStore

SETTLE: Final = 0.05
"""Seconds in which changes are collected: a page reload closes and opens a socket within them."""
RETRY_AFTER: Final = 1.0
"""Seconds before the next try when the store does not answer."""


class SocketCountReporter:
    """Reports counts that changed, only the latest of each session.

    Args:
        store: takes the counts.
        node: this node's id.
    """

    def __init__(self, store: SessionStore, node: str) -> None:
        self._store = store
        self._node = node
        self._changed: dict[str, SessionSockets] = {}
        self._wake = asyncio.Event()

    def sockets_changed(self, sockets: SessionSockets) -> None:
        """Note that a session's count changed. Anonymous sessions are on no user's list."""
        if sockets.user is not None:
            self._changed[sockets.sid] = sockets
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
        """Report all counts that changed.

        Raises:
            StoreUnavailable: the counts that were not written are tried again later.
        """
        while self._changed:
            sid, sockets = self._changed.popitem()
            try:
                await self._store.count_sockets(
                    sockets.user or "", sid, self._node, len(sockets.connections)
                )
            except StoreUnavailable:
                self._changed.setdefault(sid, sockets)
                raise
