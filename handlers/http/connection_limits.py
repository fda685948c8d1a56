"""Limits the connections of this process, in all and for each peer, so that files never run out.

A process without a free file descriptor can accept no connection, open no log and reach no store.
"""

import resource
from collections import Counter
from collections.abc import Sequence
from typing import Self

from handlers.http.client import Network, address_behind, is_in
from server.core.addresses import network_of
from server.core.open_files import connections_with


class ConnectionLimits:
    """Counts connections.

    Args:
        most: how many there may be.
        trusted: proxies; many people share the address of one.
    """

    def __init__(self, most: int, trusted: Sequence[Network] = ()) -> None:
        self._most = most
        self._trusted = trusted
        self._total = 0
        self._by_network: Counter[str] = Counter()

    @classmethod
    def of_this_process(cls, trusted: Sequence[Network]) -> Self:
        """Return limits that follow from how many files this process may open."""
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return cls(connections_with(files), trusted)

    def has_room_for(self, peer: str) -> bool:
        """Return whether one more connection of a peer may stay: no address takes all places.

        An IPv6 /64 counts as one address, as in throttling: one customer has all of it.
        """
        if self._total >= self._most:
            return False
        has = self._by_network[network_of(peer)]
        return has < self._most // 2 or self.is_of_many(peer)

    def is_of_many(self, peer: str) -> bool:
        """Return whether many clients have this address: it is a trusted proxy's."""
        return is_in(peer, self._trusted)

    def client_behind(self, peer: str, forwarded: str | None) -> str:
        """Return the client that a trusted proxy names; its own address if it names none.

        Args:
            peer: the proxy.
            forwarded: all lines of `X-Forwarded-For`, joined by commas; None if there is none.
        """
        return address_behind(peer, forwarded, self._trusted)[0]

    @property
    def has_room_for_a_socket(self) -> bool:
        """Whether one more connection may become a socket. A tenth is kept for requests."""
        return self._total < self._most - self._most // 10

    def enter(self, peer: str) -> None:
        """Count a connection."""
        self._total += 1
        self._by_network[network_of(peer)] += 1

    def leave(self, peer: str) -> None:
        """Stop counting a connection: it is closed."""
        network = network_of(peer)
        self._total -= 1
        self._by_network[network] -= 1
        if not self._by_network[network]:
            del self._by_network[network]
