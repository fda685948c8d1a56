"""How many connections this process carries, and for whom: never so many that files run out.

A process without a free file descriptor can take no connection, open no log and reach no store.
"""

import resource
from collections import Counter
from collections.abc import Sequence
from typing import Final, Self

from handlers.http.client import Network, is_in
from server.core.addresses import network_of

KEPT_FREE: Final = 128
"""File descriptors for the store, the listening port and everything else."""
FEWEST: Final = 64
"""Connections, where the system allows hardly any file."""
UNLIMITED: Final = 100_000
"""Connections, where the system sets no limit."""


class ConnectionLimits:
    """Counts connections.

    Args:
        most: how many there may be.
        trusted: proxies, behind which are many people.
    """

    def __init__(self, most: int, trusted: Sequence[Network] = ()) -> None:
        self._most = most
        self._trusted = trusted
        self._total = 0
        self._by_network: Counter[str] = Counter()

    @classmethod
    def of_this_process(cls, trusted: Sequence[Network]) -> Self:
        """As many as the process may open files."""
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return cls(UNLIMITED if files < 0 else max(FEWEST, files - KEPT_FREE), trusted)

    def has_room_for(self, peer: str) -> bool:
        """Whether one more connection of a peer may stay; no single address takes all places.

        Of IPv6 a /64 is one address, as for the throttle: a customer has all of it.
        """
        if self._total >= self._most:
            return False
        has = self._by_network[network_of(peer)]
        return has < self._most // 2 or is_in(peer, self._trusted)

    @property
    def has_room_for_a_socket(self) -> bool:
        """Whether one more connection may become a socket: a tenth is left to requests."""
        return self._total < self._most - self._most // 10

    def enter(self, peer: str) -> None:
        """Count a connection."""
        self._total += 1
        self._by_network[network_of(peer)] += 1

    def leave(self, peer: str) -> None:
        """It is gone."""
        network = network_of(peer)
        self._total -= 1
        self._by_network[network] -= 1
        if not self._by_network[network]:
            del self._by_network[network]
