"""A worker's way to the metrics of all: it tells its parent of itself, and asks it about all."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry

from server.telemetry.metrics_channel import Channel, WorkerChannel
from server.telemetry.snapshots import take_snapshot


class OwnMetrics:
    """The metrics of this process, as its parent gets them."""

    def __init__(self) -> None:
        self._registry: CollectorRegistry | None = None
        self.channel: WorkerChannel | None = None

    def tell_of(self, registry: CollectorRegistry) -> None:
        """Tell the parent of these from now on; before that, that this process starts."""
        self._registry = registry

    async def take(self) -> bytes:
        """Take a snapshot."""
        return b"[]" if self._registry is None else await take_snapshot(self._registry)

    async def of_all(self) -> bytes | None:
        """Return the text about all processes; None if the parent does not tell."""
        return None if self.channel is None else await self.channel.text_about_all()


@asynccontextmanager
async def telling(end: socket.socket | None) -> AsyncIterator[OwnMetrics]:
    """Answer the parent, and tell it the last numbers at the end.

    Args:
        end: connected with the parent; None if nobody asks.
    """
    own = OwnMetrics()
    if end is None:
        yield own
        return
    own.channel = WorkerChannel(await Channel.on(end), own.take)
    answering = asyncio.create_task(own.channel.run())
    try:
        yield own
    finally:
        answering.cancel()
        await own.channel.tell()
        own.channel.close()
