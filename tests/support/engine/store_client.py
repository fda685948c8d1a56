"""A client with Curfew's rights on whatever store tests run on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from server.store.clients import open_clients


@asynccontextmanager
async def open_store_client(url: str) -> AsyncIterator[Redis]:
    """Open the client that a node of one shard would have, of a Valkey or of a cluster."""
    async with open_clients(url, 1, None, plaintext_allowed=False) as opened:
        if opened.cluster is not None:
            await opened.cluster.discover()
        yield opened.client
