"""Every fault on real processes: nothing is served past the bound, nobody else is signed out."""

from collections.abc import Iterator

import pytest

from tests.chaos.checks import check_others, check_receipt, check_sockets, without_tracebacks
from tests.chaos.faults import FAULTS
from tests.chaos.rig import Rig
from tests.chaos.story import Fault, Story, tell

pytestmark = [pytest.mark.chaos, pytest.mark.waits]


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    """Two servers on one Valkey, used by one fault after the other."""
    with Rig.running() as running:
        yield running


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@pytest.mark.proves("A37", "A38", "A95")
async def test_nothing_outlives_its_session_and_nobody_else_is_signed_out(
    rig: Rig, fault: Fault[Rig]
) -> None:
    with without_tracebacks(rig):
        story = await tell(rig, fault)
        assert story.served_too_late == []
        check_sockets(fault, story)
        check_receipt(fault, story, {"fsync"})
        _check_nodes(story)
        check_others(fault, story)


def _check_nodes(story: Story) -> None:
    if story.receipt is None:
        return
    nodes = story.receipt["nodes"]
    # A node that was without a lease when the session ended is not counted: it served nothing.
    assert nodes["acked"] >= 1
    assert nodes["lease_expired"] == (story.state == "bounded")
    assert nodes["waiting"] == (story.state == "pending")
