"""Who acknowledged which end: the waiting side of a termination."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from server.core.events import Acknowledgement
from server.core.receipt import NodeCounts


class Acknowledgements:
    """What nodes said about one end, as it comes in."""

    def __init__(self) -> None:
        self.closed: dict[str, int] = {}
        self._arrived = asyncio.Event()

    @property
    def sockets_closed(self) -> int:
        """By all nodes that acknowledged."""
        return sum(self.closed.values())

    def add(self, node: str, closed: int) -> None:
        """Note what one node said. Saying it again changes nothing."""
        self.closed.setdefault(node, closed)
        self._arrived.set()

    async def wait_for(self, nodes: Mapping[str, float], wait: timedelta) -> NodeCounts:
        """Wait until all `nodes` acknowledged, but not longer than `wait`.

        Args:
            nodes: the listed nodes.
            wait: the caller's patience.
        """
        try:
            async with asyncio.timeout(wait.total_seconds()):
                while not self.closed.keys() >= nodes.keys():
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            pass
        waiting = len(nodes.keys() - self.closed.keys())
        return NodeCounts(acked=len(nodes) - waiting, waiting=waiting)


class ReceiptDesk:
    """Hands incoming acknowledgements to those who wait for them."""

    def __init__(self) -> None:
        self._expected: dict[str, Acknowledgements] = {}

    @contextmanager
    def expecting(self, event: str) -> Iterator[Acknowledgements]:
        """Collect acknowledgements of `event`; entered before the event exists, so none is lost."""
        acknowledgements = self._expected[event] = Acknowledgements()
        try:
            yield acknowledgements
        finally:
            del self._expected[event]

    def acknowledged(self, acknowledgement: Acknowledgement) -> None:
        """Take what a node says. Nobody waiting any more is no fault."""
        for event, closed in acknowledgement.closed.items():
            if expected := self._expected.get(event):
                expected.add(acknowledgement.node, closed)
