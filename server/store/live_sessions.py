"""How many sessions live in the store. The scripts count them, so nobody looks through all keys."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from server.core.errors import StoreUnavailable
from server.store.names import ShardNames
from server.store.scripts import Scripts

INTERVAL: Final = 5.0
"""Seconds between two questions."""


class LiveSessions:
    """Asks for the number of live sessions.

    Args:
        scripts: runs `count_live`.
        shards: how many shards the store has.
    """

    def __init__(self, scripts: Scripts, shards: int) -> None:
        self._scripts = scripts
        self._shards = [ShardNames(shard) for shard in range(shards)]

    async def count(self) -> int:
        """Return the number of sessions that have neither ended nor expired, to the minute.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        return sum([
            int(await self._scripts.run("count_live", [names.epoch], []))
            for names in self._shards
        ])  # fmt: skip

    async def run(self, tell: Callable[[int], object]) -> None:
        """Tell the number again and again, until cancelled."""
        while True:
            with suppress(StoreUnavailable):  # the last number stays; others tell of the store
                tell(await self.count())
            await asyncio.sleep(INTERVAL)
