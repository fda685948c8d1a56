"""Looking through the whole store: for operators, and for what may take its time."""

from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any, Final

from redis.asyncio import Redis

from server.store.connection import ask

SCANNED_PER_COMMAND: Final = 500


async def scan(client: Redis, pattern: str) -> AsyncIterator[Sequence[bytes]]:
    """The names of keys that match, some at a time; one may come twice, none is left out.

    Raises:
        StoreUnavailable: the store did not answer.
    """
    cursor, started = 0, False
    while cursor or not started:
        started = True
        cursor, keys = await ask("scan", partial(_scan_once, client, cursor, pattern))
        if keys:
            yield keys


async def _scan_once(client: Redis, cursor: int, pattern: str) -> Any:
    return await client.scan(cursor, match=pattern, count=SCANNED_PER_COMMAND)
