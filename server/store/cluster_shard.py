"""What an engine needs of one shard of a cluster, which can be lost alone."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from server.store.contract import NodeRegistry
from server.store.stream_contract import ControlLog


@dataclass(frozen=True, slots=True)
class ClusterShard:
    """One shard of a cluster.

    Attributes:
        registry: its list of nodes, as the only one.
        control: its streams.
        vouched_at: returns a moment at which its master still was the master.
    """

    registry: NodeRegistry
    control: ControlLog
    vouched_at: Callable[[], float] = lambda: math.inf
