"""Remembers what was used and must not be used again, until it would have expired anyway."""

import math
from typing import Protocol

from redis.asyncio import Redis

from server.store.connection import ask
from server.store.names import ShardNames, shard_of_user


class UsedOnce(Protocol):
    """Where uses are remembered. Raises `StoreUnavailable` like every store."""

    async def take(self, identifier: str, *, operation: str, seconds: float) -> bool:
        """Use it now; False if it was used before.

        Args:
            identifier: of what is used.
            operation: of this use: asked again after a lost reply, it is still the first.
            seconds: for how long to remember.
        """


class RedisUsedOnce:
    """Implements `UsedOnce` by one SET NX GET, which needs Redis 7.0 or Valkey."""

    def __init__(self, client: Redis, shards: int) -> None:
        self._client = client
        self._shards = shards

    async def take(self, identifier: str, *, operation: str, seconds: float) -> bool:
        key = ShardNames(shard_of_user(identifier, self._shards)).used(identifier)
        first = await ask(
            "take",
            lambda: self._client.set(
                key, operation, nx=True, get=True, px=math.ceil(seconds * 1000)
            ),
        )
        return first is None or first == operation.encode("ascii")
