"""The fences of a node on a cluster: one for each shard, because each can be lost alone.

What follows a proof is in `Fence`. Here is only which of them is asked.
"""

import asyncio
from collections.abc import Sequence

from server.core.errors import StoreUnavailable
from server.core.token import shard_of_sid
from server.realtime.fence import Fence


class Fences:
    """The fences of all shards, in order.

    Args:
        fences: one for each shard.
    """

    def __init__(self, fences: Sequence[Fence]) -> None:
        self._fences = fences

    def of(self, sid: str) -> Fence:
        """Return the fence that says whether this node may serve a session."""
        return self._fences[min(shard_of_sid(sid), len(self._fences) - 1)]

    @property
    def is_open(self) -> bool:
        """Whether this node may serve the sessions of some shard now."""
        return any(each.is_open for each in self._fences)

    @property
    def follows(self) -> bool:
        """Whether the control streams of all shards reach this node."""
        return all(each.follows for each in self._fences)

    @property
    def listed_age(self) -> float:
        """Seconds since the oldest of the proofs that this node is listed."""
        return max(each.listed_age for each in self._fences)

    @property
    def followed_age(self) -> float:
        """Seconds since the oldest of the proofs that a control stream was read to its end."""
        return max(each.followed_age for each in self._fences)

    @property
    def held(self) -> int:
        """How many sockets are held."""
        return sum(each.held for each in self._fences)

    def require(self) -> None:
        """Raise unless this node may serve the sessions of some shard now.

        Raises:
            StoreUnavailable: it may serve none.
        """
        if not self.is_open:
            raise StoreUnavailable("the lease")

    async def opened(self) -> None:
        """Wait until this node may serve the sessions of all shards."""
        await asyncio.gather(*(each.opened() for each in self._fences))

    async def run(self) -> None:
        """Hold, compare and resume, shard by shard, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for each in self._fences:
                group.create_task(each.run())
