"""Faults of a store with Sentinel: the bound is kept, nobody else is signed out.

An ordinary run has one of them; `make sentinel` has all.
"""

import os
from collections.abc import Iterator

import pytest

from tests.chaos.checks import check_others, check_receipt, check_sockets, without_tracebacks
from tests.chaos.sentinel_faults import SENTINEL_FAULTS
from tests.chaos.sentinel_rig import SentinelFaultRig
from tests.chaos.story import Fault, tell

pytestmark = [pytest.mark.chaos, pytest.mark.waits]

ALL = os.environ.get("SENTINEL_FAULTS") == "all"
FAULTS = [each for each in SENTINEL_FAULTS if ALL or each.name == "frozen-with-b"]
RECOVERED_WITHIN = 8.0
"""Seconds from the fault: down-after 1 s, Sentinel's failover, and a lease of 2 s."""


@pytest.fixture(scope="module")
def rig() -> Iterator[SentinelFaultRig]:
    """Two servers on one store, used by one fault after the other."""
    with SentinelFaultRig.running() as running:
        yield running


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_nothing_outlives_its_session_and_nobody_else_is_signed_out(
    rig: SentinelFaultRig, fault: Fault[SentinelFaultRig]
) -> None:
    rig.settle()
    with without_tracebacks(rig):
        story = await tell(rig, fault)
        assert story.served_too_late == []
        assert story.recovery < RECOVERED_WITHIN
        check_sockets(fault, story)
        check_receipt(fault, story, {"fsync", "replicas"})
        check_others(fault, story)
