"""What must be true of the story of every fault."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.chaos.story import Fault, Story
from tests.chaos.two_servers import TwoServers


@contextmanager
def without_tracebacks(rig: TwoServers) -> Iterator[None]:
    """Fail if a server writes a traceback into its log meanwhile."""
    logs = [len(server.log) for server in rig.servers]
    yield
    for server, before in zip(rig.servers, logs, strict=True):
        assert "Traceback" not in server.log[before:]


def check_sockets(fault: Fault[Any], story: Story) -> None:
    """The ended session's sockets are closed with the reason, and nobody is told anything else."""
    reason = "unauthenticated" if fault.loses_data else "terminated"
    expected = fault.expected
    for witness, allowed in zip(story.ended, (expected.at_a, expected.at_b), strict=True):
        assert witness.words[0] == "hello"
        assert set(witness.words[1:]) <= allowed, witness.words
        assert witness.words[-2:] == ["ended", f"4401 {reason}"]
    for witness in story.others:
        assert set(witness.words[1:]) <= expected.others, witness.words


def check_receipt(fault: Fault[Any], story: Story, durability: set[str]) -> None:
    """The receipt is one of those that are expected, and about the one session."""
    assert story.state in fault.receipts, story.receipt
    if story.receipt is None:
        assert story.unavailable > 0
        return
    assert story.receipt["sessions"] == 1
    assert story.receipt["durability"] in durability


def check_others(fault: Fault[Any], story: Story) -> None:
    """Nobody else is signed out, unless the store forgot everybody."""
    for witness in story.others:
        assert witness.is_signed_out == fault.loses_data, witness.statuses
        assert not witness.lost_cookie
