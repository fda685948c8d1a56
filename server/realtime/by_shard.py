"""What runs once for each shard of a cluster, used as one.

A shard of a cluster has a master of its own, and is lost and comes back alone. So a node follows,
proves and compares each shard for itself. On a single store there is one of each for all shards.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

from server.realtime.follower import Follower
from server.realtime.lease import Lease
from server.realtime.reconciler import Reconciler

_Part = TypeVar("_Part")
_All = TypeVar("_All")


def one_or_all(parts: Sequence[_Part], together: Callable[[Sequence[_Part]], _All]) -> _Part | _All:
    """Return the part of a single store as it is, or those of all shards as one."""
    return parts[0] if len(parts) == 1 else together(parts)


class Followers:
    """Follows the control streams of all shards.

    Args:
        followers: one for each shard.
    """

    def __init__(self, followers: Sequence[Follower]) -> None:
        self._followers = followers

    async def start(self) -> None:
        """See `Follower`."""
        await asyncio.gather(*(each.start() for each in self._followers))

    async def run(self) -> None:
        """See `Follower`."""
        await _run_all(each.run() for each in self._followers)


class Leases:
    """Keeps this node on the lists of all shards.

    Args:
        leases: one for each shard.
    """

    def __init__(self, leases: Sequence[Lease]) -> None:
        self._leases = leases

    @property
    def listed(self) -> int:
        """See `Lease`."""
        return self._leases[0].listed  # what they know of the nodes, they know together

    async def run(self) -> None:
        """See `Lease`."""
        await _run_all(each.run() for each in self._leases)

    async def release(self) -> None:
        """See `Lease`."""
        await asyncio.gather(*(each.release() for each in self._leases))

    async def settle(self) -> None:
        """See `Lease`."""
        await asyncio.gather(*(each.settle() for each in self._leases))

    async def look(self) -> None:
        """See `Lease`."""
        await asyncio.gather(*(each.look() for each in self._leases))


class Reconcilers:
    """Compares the sessions of all shards with the store.

    Args:
        reconcilers: one for each shard.
    """

    def __init__(self, reconcilers: Sequence[Reconciler]) -> None:
        self._reconcilers = reconcilers

    def sweep_soon(self) -> None:
        """See `Reconciler`."""
        for each in self._reconcilers:
            each.sweep_soon()

    async def run(self) -> None:
        """See `Reconciler`."""
        await _run_all(each.run() for each in self._reconcilers)


async def _run_all(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    async with asyncio.TaskGroup() as group:
        for work in works:
            group.create_task(work)
