"""Every fault on real processes: nothing is served past the bound, nobody else is signed out."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.chaos.faults import FAULTS
from tests.chaos.rig import Rig
from tests.chaos.story import Fault, Story, tell
from tests.support.clients.people import People, people_of

pytestmark = [pytest.mark.chaos, pytest.mark.alone]


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    """Two servers on one Valkey, used by one fault after the other."""
    with Rig() as running:
        yield running


@pytest.fixture
async def people(rig: Rig) -> AsyncIterator[People]:
    """Opens browsers on A."""
    async with people_of(rig.a.url) as people:
        yield people


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@pytest.mark.proves("A37", "A38", "A95")
async def test_nothing_outlives_its_session_and_nobody_else_is_signed_out(
    rig: Rig, people: People, fault: Fault
) -> None:
    logs = [len(server.log) for server in rig.servers]
    story = await tell(rig, people, fault)

    assert story.served_too_late == []
    _check_sockets(fault, story)
    _check_receipt(fault, story)
    _check_others(fault, story)
    for server, before in zip(rig.servers, logs, strict=True):
        assert "Traceback" not in server.log[before:]


def _check_sockets(fault: Fault, story: Story) -> None:
    reason = "unauthenticated" if fault.loses_data else "terminated"
    for witness, allowed in zip(story.ended, (fault.at_a, fault.at_b), strict=True):
        assert witness.words[0] == "hello"
        assert set(witness.words[1:]) <= allowed, witness.words
        assert witness.words[-2:] == ["ended", f"4401 {reason}"]
    for witness in story.others:
        assert set(witness.words[1:]) <= fault.others, witness.words


def _check_receipt(fault: Fault, story: Story) -> None:
    assert story.state in fault.receipts, story.receipt
    if story.receipt is None:
        assert story.unavailable > 0
        return
    nodes = story.receipt["nodes"]
    # A node that was without a lease when the session ended is not counted: it served nothing.
    assert nodes["acked"] >= 1
    assert nodes["lease_expired"] == (story.state == "bounded")
    assert nodes["waiting"] == (story.state == "pending")
    assert story.receipt["sessions"] == 1
    assert story.receipt["durability"] == "fsync"


def _check_others(fault: Fault, story: Story) -> None:
    for witness in story.others:
        assert witness.is_signed_out == fault.loses_data, witness.statuses
        assert not witness.lost_cookie
