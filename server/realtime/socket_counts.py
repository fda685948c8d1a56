"""Writes the number of each session's sockets on this node to the store, for the account page.

It writes totals, not steps up and down: repeating one or losing one does no harm.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from server.core.context import NodeContext
from server.core.errors import StoreUnavailable
from server.core.shared_pace import SharedPace
from server.realtime.hub import SessionSockets
from server.store.contract import SessionStore

SETTLE: Final = 0.05
"""Seconds in which changes are collected: a page reload closes and opens a socket within them."""
REPORTS_TOGETHER: Final = 500.0
"""Reports of all nodes in a second, for long: each is an event that all of them read. When nodes
are lost, hundreds of thousands of sockets come to others at once, and counts may be late."""
AT_ONCE: Final = 2.0
"""Reports of one node without a pause: after a loss, all nodes begin in the same moment."""
RETRY_AFTER: Final = 1.0
"""Seconds before the next try when the store does not answer."""


class SocketCountReporter:
    """Reports counts that changed, only the latest of each session.

    Args:
        store: takes the counts.
        context: this node's id and clocks.
        nodes: returns how many nodes report, as far as this one knows.
    """

    def __init__(self, store: SessionStore, context: NodeContext, nodes: Callable[[], int]) -> None:
        self._store = store
        self._context = context
        self._nodes = nodes
        self._pace = SharedPace(REPORTS_TOGETHER, AT_ONCE)
        self._changed: OrderedDict[str, SessionSockets] = OrderedDict()
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
        """Report all counts that changed, the oldest first, at the pace of all nodes.

        Raises:
            StoreUnavailable: the counts that were not written are tried again later.
        """
        while self._changed:
            sid, sockets = self._changed.popitem(last=False)
            try:
                await self._store.count_sockets(
                    sockets.user or "", sid, self._context.node, len(sockets.connections)
                )
            except StoreUnavailable:
                self._changed.setdefault(sid, sockets)
                raise
            if pause := self._pace.pause_after(self._context.monotonic(), self._nodes()):
                await asyncio.sleep(pause)
