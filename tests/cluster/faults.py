"""The faults of a cluster: what goes wrong with one master, and what may then be seen."""

from typing import Final

from tests.chaos.expectations import (
    COMPLETE,
    ENDED,
    HELD,
    HELD_EVERYWHERE,
    PENDING,
    UNKNOWN,
    UNNOTICED,
    UNVERIFIED,
    Expected,
    nothing,
)
from tests.chaos.failovers import failovers
from tests.chaos.story import Fault
from tests.chaos.two_servers import LEASE_SECONDS
from tests.cluster.rig import ClusterFaultRig

_FAILOVERS: Final[tuple[Fault[ClusterFaultRig], ...]] = failovers(
    "a replica takes over by command (`CLUSTER FAILOVER`)",
    expected=UNNOTICED,
    receipts=COMPLETE | PENDING | UNKNOWN,
)
CLUSTER_FAULTS: Final[tuple[Fault[ClusterFaultRig], ...]] = (
    *_FAILOVERS,
    Fault(
        "behind",
        "the replica is stopped (SIGSTOP), so it lies behind",
        begin=lambda rig: rig.replica.freeze(),
        mend=lambda rig: rig.replica.thaw(),
        receipts=PENDING,
        expected=UNNOTICED,
    ),
    Fault(
        "slot-in-one-piece",
        "the shard's slot moves to another master (`CLUSTER MIGRATESLOTS`)",
        begin=ClusterFaultRig.move_slot,
        mend=nothing,
        receipts=COMPLETE,
        expected=UNNOTICED,
    ),
    Fault(
        "slot-key-by-key",
        "the shard's slot moves key by key, for longer than the lease",
        begin=ClusterFaultRig.begin_moving,
        mend=ClusterFaultRig.finish_moving,
        lasts=LEASE_SECONDS + 1.0,
        mended_after_receipt=False,
        receipts=COMPLETE | UNKNOWN,
        expected=HELD_EVERYWHERE,
    ),
    Fault(
        "shard-down",
        "a master and its replica are killed, and come back with their data",
        begin=ClusterFaultRig.kill_shard,
        mend=ClusterFaultRig.restart_shard,
        lasts=LEASE_SECONDS + 4.0,
        mended_after_receipt=False,
        receipts=COMPLETE | PENDING | UNKNOWN,
        expected=Expected(
            at_a=ENDED | UNVERIFIED | HELD,
            at_b=ENDED | UNVERIFIED | HELD,
            others=UNVERIFIED | HELD,
        ),
    ),
)
