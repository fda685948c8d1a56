"""Opens what is kept for each shard of a cluster."""

from collections.abc import Sequence
from functools import partial

from server.store.cluster import Cluster
from server.store.cluster_shard import ClusterShard
from server.store.nodes import RedisNodeRegistry, ShardNodeRegistry
from server.store.store_watch import StoreWatch, WatchedRegistry
from server.store.stream_contract import ControlLog


def open_shards(
    cluster: Cluster | None,
    nodes: RedisNodeRegistry,
    watch: StoreWatch,
    controls: Sequence[ControlLog],
) -> list[ClusterShard]:
    """Return the shards of a cluster, in order.

    Args:
        cluster: the cluster; None for a single store.
        nodes: the lists of nodes of all shards.
        watch: says whether this node fits the store.
        controls: the streams of each shard of a cluster.
    """
    if cluster is None:
        return []
    return [
        ClusterShard(
            WatchedRegistry(ShardNodeRegistry(nodes, shard), watch),
            control,
            partial(cluster.vouched_at, shard),
        )
        for shard, control in enumerate(controls)
    ]
