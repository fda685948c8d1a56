"""Remembers what can be used only once, until it would have expired anyway."""

import math

from redis.asyncio import Redis

from server.store.connection import execute
from server.store.names import ShardNames


class SingleUseStore:
    """Decides which use of a thing was the first, by one SET NX GET (Redis 7.0, Valkey).

    Args:
        client: the store.
        shards: how many shards the store has.
    """

    def __init__(self, client: Redis, shards: int) -> None:
        self._client = client
        self._shards = shards

    async def claim(self, identifier: str, *, operation: str, seconds: float) -> bool:
        """Use something that can be used once.

        Args:
            identifier: names it.
            operation: the id of this use. A retry after a lost reply is still the first use.
            seconds: how long to remember the use.

        Returns:
            Whether this is the first use.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        key = ShardNames.of_user(identifier, self._shards).used(identifier)
        first = await execute(
            "claim",
            lambda: self._client.set(
                key, operation, nx=True, get=True, px=math.ceil(seconds * 1000)
            ),
        )
        return first is None or first == operation.encode("ascii")
