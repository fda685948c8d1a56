"""Who has a name that looks so: names that look alike are given once.

A look is claimed before its account is made, because both may be in different shards. A claim
whose account was never made, or is gone, is taken over after a while.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from server.core.durations import milliseconds
from server.crypto.looks import look_of
from server.store.names import ShardNames
from server.store.scripts import Scripts

PATIENCE: Final = timedelta(minutes=2)
"""A claim is so old at least before it is taken over: no making of an account takes that long."""


class LookClaims:
    """Claims looks. Every method raises `StoreUnavailable` if the store fails.

    Args:
        scripts: runs `claim_look` and `release_look`.
        exists: returns whether there is an account of a name.
        now: the store's clock, in Unix seconds.
        shards: how many shards the store has.
    """

    def __init__(
        self,
        scripts: Scripts,
        exists: Callable[[str], Awaitable[bool]],
        now: Callable[[], float],
        shards: int,
    ) -> None:
        self._scripts = scripts
        self._exists = exists
        self._now = now
        self._shards = shards

    async def claim(self, user: str, *, former: str = "") -> bool:
        """Claim the look of a name for its account, which may be about to be made.

        Args:
            user: canonical user name.
            former: the name that the account has until now, whose claim may be taken over.

        Returns:
            Whether nobody else has a name that looks so.
        """
        key = await self._key(user)
        holder = await self._claim(key, user, former)
        if not holder:
            return True
        if await self._exists(holder):
            return False
        return not await self._claim(key, user, former, stale=holder)

    async def release(self, user: str, *, since: float) -> None:
        """Give up the claim of an account that is gone, unless it was made after that again.

        Args:
            user: canonical user name.
            since: before the account was removed, in Unix seconds.
        """
        key = await self._key(user)
        await self._scripts.run("release_look", [key], [user, round(since * 1000)])

    async def _claim(self, key: str, user: str, former: str, *, stale: str = "") -> str:
        """Return who holds the look in our place; empty if it is ours."""
        now_ms = round(self._now() * 1000)
        holder = await self._scripts.run(
            "claim_look",
            [key],
            [user, now_ms, former, stale, now_ms - milliseconds(PATIENCE)],
        )
        return str(holder.decode())

    async def _key(self, user: str) -> str:
        look = await asyncio.to_thread(look_of, user)  # the first one reads a file
        digest = hashlib.sha256(look.encode()).hexdigest()[:32]
        return ShardNames.of_user(look, self._shards).look(digest)
