"""Computes what a fleet costs from the unit costs, and where its first wall is."""

from dataclasses import dataclass, replace
from typing import Final

from benchmarks.capacity.units import Units
from server.realtime.follower import READS_TOGETHER

CORE: Final = 1_000_000.0
"""Microseconds of CPU in a second of one core. A process and the store each have one."""
USABLE: Final = 0.7
"""Of a core. Above it, queues grow and latency with them."""
MOST_ENDS: Final = 1e6
"""A second; no fleet bears as many."""
HALVINGS: Final = 60
GIB: Final = 1024.0**3


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is to be served.

    Attributes:
        nodes: processes that serve.
        sessions: in the store.
        sockets: open, on all nodes together.
        requests: in a second, on all nodes together.
        ends: likewise.
        shards: stores that share the load; each is a core.
    """

    nodes: int
    sessions: int
    sockets: int
    requests: float
    ends: float
    shards: int = 1


@dataclass(frozen=True, slots=True)
class Load:
    """What a fleet costs.

    Attributes:
        node: the part of a core that each node uses.
        store: the part of a core that each store uses.
        node_gib: memory of the sockets of a node.
        store_gib: memory of the sessions of a store.
        acknowledgements: in a second, of all nodes together.
    """

    node: float
    store: float
    node_gib: float
    store_gib: float
    acknowledgements: float

    @property
    def wall(self) -> str:
        """Which core is full first."""
        return "store" if self.store >= self.node else "node"

    @property
    def fits(self) -> bool:
        """Whether no core is used more than `USABLE`."""
        return max(self.node, self.store) <= USABLE


def load_of(fleet: Fleet, units: Units) -> Load:
    """Return what a fleet costs.

    Every node hears of every end, wherever the sockets are, and acknowledges it: as often as the
    pace of all nodes lets it read, and else together with others. Every node keeps its lease in
    every shard.
    """
    nodes, shards = fleet.nodes, fleet.shards
    reads = min(fleet.ends, shards * READS_TOGETHER / nodes)
    store = (
        nodes * units.idle_store * shards
        + fleet.requests * units.request_store
        + fleet.ends * units.end_store
        + reads * nodes * units.heard_store
        + (fleet.ends - reads) * nodes * units.entry_store
    ) / shards
    node = (
        units.idle_node
        + fleet.requests / nodes * units.request_node
        + fleet.sockets / nodes * units.socket_node
        + fleet.ends * (units.end_node / nodes + units.heard_node)
    )
    return Load(
        node=node / CORE,
        store=store / CORE,
        node_gib=fleet.sockets / nodes * units.socket_bytes / GIB,
        store_gib=fleet.sessions / shards * units.session_bytes / GIB,
        acknowledgements=reads * (nodes - 1),
    )


def most_ends(fleet: Fleet, units: Units) -> tuple[float, str]:
    """Return how many ends a second a fleet bears besides its other work, and what is full then.

    Returns:
        The number, 0 if the fleet is full without any end; and `node` or `store`.
    """
    fitting, full = 0.0, MOST_ENDS
    for _ in range(HALVINGS):
        ends = (fitting + full) / 2
        if load_of(replace(fleet, ends=ends), units).fits:
            fitting = ends
        else:
            full = ends
    return fitting, load_of(replace(fleet, ends=full), units).wall


def most_nodes(units: Units) -> int:
    """Return how many idle nodes fill a store with their leases and reads alone."""
    return int(USABLE * CORE / units.idle_store)
