"""Scans of the whole store: for operators' commands and slow background work only."""

from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any, Final

from redis.asyncio import Redis

from server.store.connection import execute

KEYS_PER_COMMAND: Final = 500


async def scan(client: Redis, pattern: str) -> AsyncIterator[Sequence[bytes]]:
    """Yield the names of keys that match, in groups. A key may come twice; none is left out.

    Args:
        client: the store.
        pattern: as `SCAN … MATCH` takes it.

    Raises:
        StoreUnavailable: the store did not answer.
    """
    cursor, started = 0, False
    while cursor or not started:
        started = True
        cursor, keys = await execute("scan", partial(_scan_once, client, cursor, pattern))
        if keys:
            yield keys


async def _scan_once(client: Redis, cursor: int, pattern: str) -> Any:
    return await client.scan(cursor, match=pattern, count=KEYS_PER_COMMAND)
