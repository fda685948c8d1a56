"""The faults of a store with Sentinel."""

from typing import Final

from tests.chaos.expectations import COMPLETE, HELD_EVERYWHERE, PENDING, UNKNOWN, UNNOTICED
from tests.chaos.failovers import failovers
from tests.chaos.sentinel_rig import SentinelFaultRig
from tests.chaos.story import Fault
from tests.chaos.two_servers import LEASE_SECONDS

_FAILOVERS: Final[tuple[Fault[SentinelFaultRig], ...]] = failovers(
    "a replica is promoted by command (`SENTINEL FAILOVER`)",
    expected=HELD_EVERYWHERE,
    receipts=COMPLETE | UNKNOWN,
)
SENTINEL_FAULTS: Final[tuple[Fault[SentinelFaultRig], ...]] = (
    *_FAILOVERS,
    Fault(
        "one-sentinel",
        "one of three sentinels is killed",
        begin=lambda rig: rig.kill_sentinels(1),
        mend=SentinelFaultRig.start_sentinels,
        receipts=COMPLETE,
        expected=UNNOTICED,
    ),
    Fault(
        "two-sentinels",
        "two of three sentinels are killed, for longer than the lease",
        begin=lambda rig: rig.kill_sentinels(2),
        mend=SentinelFaultRig.start_sentinels,
        lasts=LEASE_SECONDS + 1.0,
        mended_after_receipt=False,
        receipts=COMPLETE | PENDING | UNKNOWN,
        expected=HELD_EVERYWHERE,
    ),
)
