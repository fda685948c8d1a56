"""Sessions begin and end under load while the master is replaced: every receipt stays true.

`make sentinel` runs this. It prints what it counted, with `-s`.
"""

import os
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.chaos.load import PEOPLE, seen_under_load
from tests.chaos.sentinel_faults import SENTINEL_FAULTS
from tests.chaos.sentinel_rig import SentinelFaultRig
from tests.chaos.story import Fault
from tests.support.clients.people import People

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.alone,
    pytest.mark.skipif(os.environ.get("SENTINEL_FAULTS") != "all", reason="make sentinel runs it"),
]

FAULTS = [each for each in SENTINEL_FAULTS if each.name in {"command", "killed", "frozen"}]


@pytest.fixture(scope="module")
def rig() -> Iterator[SentinelFaultRig]:
    with SentinelFaultRig.running() as running:
        yield running


@pytest.fixture
async def people(rig: SentinelFaultRig) -> AsyncIterator[People]:
    rig.settle()
    async with rig.people() as people:
        yield people


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_what_a_receipt_says_is_true_after_the_failover(
    rig: SentinelFaultRig, people: People, fault: Fault[SentinelFaultRig]
) -> None:
    old = rig.old
    all_seen = await seen_under_load(rig, people, fault)
    assert rig.store.master() is not old
    assert [each for seen in all_seen for each in seen.came_back] == []
    assert sum(seen.states["complete"] for seen in all_seen) > 0
    assert sum(len(seen.lost) for seen in all_seen) <= PEOPLE  # what no replica had
