"""One engine on a single store; on a cluster, one proof, follower and comparison for each shard."""

from dataclasses import replace

from server.core.token import make_sid
from server.engine import build_engine
from server.realtime.by_shard import Followers, Leases, Reconcilers
from server.realtime.fence import Fence
from server.realtime.fences import Fences
from server.store.cluster_shard import ClusterShard
from tests.support.engine.memory_node import RULES, TIMING, MemoryNode
from tests.support.engine.virtual_time import monotonic, on_virtual_time, settle, virtual_loop


@on_virtual_time
async def test_a_single_store_has_one_fence_for_every_session() -> None:
    fence = MemoryNode().engine.fence
    assert isinstance(fence, Fence)
    assert fence.of(make_sid(7, bytes(16))) is fence


@on_virtual_time
async def test_a_shard_of_a_cluster_is_fenced_when_nobody_vouches_for_its_master() -> None:
    node = MemoryNode()
    vouched = [float("inf"), float("-inf")]
    shards = [
        ClusterShard(node.store, node.store, lambda: vouched[0]),
        ClusterShard(node.store, node.store, lambda: vouched[1]),
    ]
    given = replace(node.given, shards=shards)
    engine = build_engine(given, RULES, TIMING, node.context)
    assert isinstance(engine.follower, Followers)
    assert isinstance(engine.lease, Leases)
    assert isinstance(engine.reconciler, Reconcilers)
    assert isinstance(engine.fence, Fences)
    fences = [engine.fence.of(make_sid(shard, bytes(16))) for shard in range(2)]
    virtual_loop().create_task(engine.fence.run())
    await settle()
    for each in fences:
        each.note_listed(monotonic())
        each.note_followed(monotonic())
    await settle()
    assert [each.is_open for each in fences] == [True, False]
