"""Sessions begin and end under load while a master fails or a slot moves: receipts stay true.

It prints what it counted, with `-s`.
"""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.chaos.load import PEOPLE, seen_under_load
from tests.chaos.story import Fault
from tests.cluster.faults import CLUSTER_FAULTS
from tests.cluster.rig import ClusterFaultRig
from tests.support.clients.people import People

pytestmark = pytest.mark.alone

FAULTS = [
    each
    for each in CLUSTER_FAULTS
    if each.name in {"command", "killed", "frozen", "behind", "slot-in-one-piece"}
]


@pytest.fixture(scope="module")
def rig() -> Iterator[ClusterFaultRig]:
    with ClusterFaultRig.running() as running:
        yield running


@pytest.fixture
async def people(rig: ClusterFaultRig) -> AsyncIterator[People]:
    """The first, third … person is in the shard, the others in shards of other masters."""
    rig.settle()
    async with rig.people() as people:
        yield people


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_what_a_receipt_says_is_true_and_the_shards_of_other_masters_fail_nobody(
    rig: ClusterFaultRig, people: People, fault: Fault[ClusterFaultRig]
) -> None:
    old, shard = rig.old, rig.shard
    all_seen = await seen_under_load(rig, people, fault)
    assert (rig.store.master_of(shard) is old) == (fault.name == "behind")
    for seen in all_seen:
        assert seen.came_back == []
        assert seen.states["complete"] > 0
    hurt, spared = all_seen[::2], all_seen[1::2]
    assert sum(len(seen.lost) for seen in hurt) <= PEOPLE  # what the replica had not
    for seen in spared:
        assert seen.failed_at == []
        assert seen.lost == []
