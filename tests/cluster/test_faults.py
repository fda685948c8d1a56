"""Every fault of a cluster: the bound is kept, nobody is signed out, other shards see nothing."""

from collections.abc import Iterator

import pytest

from tests.chaos.checks import check_others, check_receipt, check_sockets, without_tracebacks
from tests.chaos.story import Fault, tell
from tests.cluster.faults import CLUSTER_FAULTS
from tests.cluster.rig import ClusterFaultRig

pytestmark = pytest.mark.alone

RECOVERED_WITHIN = 8.0
"""Seconds from the fault: a node timeout of 1 s, the vote, and a lease of 2 s."""
OF_THE_FIRST_SHARD = ("killed", "shard-down")
"""Faults that are also tried on the master that has what belongs to no user."""
CASES = [
    *((fault, False) for fault in CLUSTER_FAULTS),
    *((fault, True) for fault in CLUSTER_FAULTS if fault.name in OF_THE_FIRST_SHARD),
]


@pytest.fixture(scope="module")
def rig() -> Iterator[ClusterFaultRig]:
    """Two servers on one cluster, used by one fault after the other."""
    with ClusterFaultRig.running() as running:
        yield running


@pytest.mark.parametrize(
    ("fault", "first"), CASES, ids=[f"{f.name}{'-first' * first}" for f, first in CASES]
)
async def test_nothing_outlives_its_session_and_nobody_else_is_signed_out(
    rig: ClusterFaultRig,
    fault: Fault[ClusterFaultRig],
    first: bool,  # noqa: FBT001 a case
) -> None:
    rig.settle(with_first_shard=first)
    with without_tracebacks(rig):
        story = await tell(rig, fault)
        assert story.served_too_late == []
        assert story.recovery < RECOVERED_WITHIN
        check_sockets(fault, story)
        check_receipt(fault, story, {"fsync", "replicas"})
        check_others(fault, story)
        for witness in [] if fault.name == "frozen-with-b" else story.others[2:]:  # other masters
            assert witness.words[1:] == []
            assert witness.statuses == {200}
