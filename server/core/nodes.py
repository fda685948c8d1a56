"""What a node knows of the others: their entries in the list of nodes, and since when.

A listed node may serve for one lease after its latest renewal. Every renewal changes its entry. How
long an entry has been the same is measured by whoever reads the list, on a clock that is never set.
So no clock is compared with another one, and a step of the store's clock changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

RATES_DIFFER: Final = 0.01
"""The share by which the monotonic clocks of two machines may run at different rates."""

LONGEST_WAIT: Final = 60.0
"""Seconds, at most, that a reader of the lists waits for a node with a longer lease."""


@dataclass(frozen=True, slots=True)
class ListedNode:
    """An entry of the list of nodes.

    Attributes:
        mark: another one after each renewal, and never an earlier one again. It says nothing else.
        lease: how many seconds a renewal is valid; None if the entry does not say.
        began: the number of the renewal that made the entry; 0 if the entry does not say.
    """

    mark: str
    lease: float | None = None
    began: int = 0


class NodeWatch:
    """Remembers since when each entry of the lists has been the same.

    Args:
        lease: of this node; for entries that do not say theirs.
    """

    def __init__(self, lease: timedelta) -> None:
        self._own = lease.total_seconds()
        self._seen: dict[int, dict[str, tuple[ListedNode, float]]] = {}
        self._lists_lost_at: dict[int | None, float] = {}

    def see(self, shard: int, nodes: Mapping[str, ListedNode], at: float) -> None:
        """Take a list as it was read.

        Args:
            shard: whose list.
            nodes: its entries.
            at: when the answer was there, in seconds of the monotonic clock.
        """
        before = self._seen.get(shard, {})
        self._seen[shard] = {
            node: before[node] if node in before and before[node][0] == listed else (listed, at)
            for node, listed in nodes.items()
        }

    @property
    def listed(self) -> int:
        """How many nodes were on the lists when they were read last, this one included."""
        return len({node for nodes in self._seen.values() for node in nodes})

    def listed_in(self, shard: int) -> int:
        """Return how many nodes were on the list of a shard when it was read last."""
        return len(self._seen.get(shard, ()))

    def over_at(self, shard: int, node: str, listed: ListedNode, now: float) -> float:
        """Return when the lease of a node is over, unless it renews it.

        Args:
            shard: whose list has the entry.
            node: the node.
            listed: its entry.
            now: when the entry was read; it may have been seen before.
        """
        seen, since = self._seen.get(shard, {}).get(node, (listed, now))
        return (since if seen == listed else now) + self.longest(listed.lease)

    def silent(self, now: float) -> list[tuple[int, str, ListedNode]]:
        """Return the entries that have been the same for a whole lease: shard, node and entry."""
        return [
            (shard, node, listed)
            for shard, nodes in self._seen.items()
            for node, (listed, since) in nodes.items()
            if now >= since + self.longest(listed.lease)
        ]

    def has_lost(self, shard: int, node: str, nodes: Mapping[str, ListedNode]) -> bool:
        """Return whether a list is not the one any more on which a node was when it was last seen.

        Args:
            shard: whose list.
            node: the node.
            nodes: the entries of the list now.
        """
        seen, found = self._seen.get(shard, {}).get(node), nodes.get(node)
        return seen is not None and (found is None or found.began != seen[0].began)

    def longest(self, lease: float | None = None) -> float:
        """Return how many seconds another node may need for a lease, by its own clock.

        Args:
            lease: in seconds; None for that of this node.
        """
        return (self._own if lease is None else lease) * (1 + RATES_DIFFER)

    def longest_listed(self) -> float:
        """Return how many seconds any listed node may need for a lease; no more than a minute.

        The limit is for an entry that no node wrote.
        """
        listed = (each for nodes in self._seen.values() for each, _ in nodes.values())
        longest = max((self.longest(each.lease) for each in listed), default=0.0)
        return max(self.longest(), min(longest, LONGEST_WAIT))

    def note_loss(self, at: float, shard: int | None = None) -> None:
        """Note that a list lost this node: the store lost data, so others may be missing too.

        Args:
            at: now.
            shard: whose list, if that shard can be lost alone; None for the lists of all.
        """
        self._lists_lost_at[shard] = at

    def may_lack_nodes(self, now: float, shard: int | None = None) -> bool:
        """Return whether a node that serves may be missing from the list of a shard.

        Within a lease after a loss, each node that goes on serving lists itself again.
        """
        lost_at = (self._lists_lost_at.get(each, float("-inf")) for each in (None, shard))
        return now < max(lost_at) + self.longest()
