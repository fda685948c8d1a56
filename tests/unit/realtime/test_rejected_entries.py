"""Rejected entries are all counted, and reported at most every few seconds."""

import logging

import pytest

from server.core.audit import AuditEvent
from server.core.events import EntryRejection
from server.realtime.rejected_entries import REPORT_INTERVAL, RejectedEntries
from tests.support.engine.memory_node import MemoryNode
from tests.support.engine.virtual_time import on_virtual_time, sleep_while_nothing_runs

FORGED, LATE = EntryRejection.FORGED, EntryRejection.LATE


class Rejecting:
    """What a node records of rejected entries.

    Attributes:
        rejected: counts them.
        calls: how often an observer was called.
    """

    def __init__(self) -> None:
        node = MemoryNode()
        self.recorded = node.recorded
        self.rejected = RejectedEntries(node.context)
        self.rejected.subscribe(self._observe)
        self.calls = 0

    def _observe(self) -> None:
        self.calls += 1

    def reports(self) -> list[dict[str, int]]:
        """Return the counts of all reports."""
        assert {event for event, _ in self.recorded.events} <= {AuditEvent.EVENT_REFUSED}
        kinds = {each.value for each in EntryRejection}
        counts = (facts.items() for _, facts in self.recorded.events)
        return [{name: n for name, n in each if name in kinds} for each in counts]


@on_virtual_time
async def test_the_first_rejection_is_reported_at_once_by_its_kind() -> None:
    rejecting = Rejecting()
    rejecting.rejected.note([FORGED, LATE, FORGED])
    assert rejecting.reports() == [{"forged": 2, "late": 1}]


@on_virtual_time
async def test_a_flood_makes_one_line_in_each_interval_and_every_entry_is_counted() -> None:
    rejecting = Rejecting()
    for _ in range(100):
        rejecting.rejected.note([FORGED])
        sleep_while_nothing_runs(REPORT_INTERVAL / 40)
    sleep_while_nothing_runs(REPORT_INTERVAL)
    rejecting.rejected.note([])
    reports = rejecting.reports()
    assert len(reports) <= 2 + 100 / 40
    assert sum(report["forged"] for report in reports) == 100


@on_virtual_time
async def test_what_waits_is_reported_although_nothing_more_is_rejected() -> None:
    rejecting = Rejecting()
    rejecting.rejected.note([FORGED])
    rejecting.rejected.note([LATE])
    sleep_while_nothing_runs(REPORT_INTERVAL)
    rejecting.rejected.note([])
    rejecting.rejected.note([])
    assert rejecting.reports() == [{"forged": 1}, {"late": 1}]


@on_virtual_time
async def test_observers_are_called_for_each_read_that_brought_some_and_no_other() -> None:
    rejecting = Rejecting()
    for rejections in ([FORGED, LATE], [], [FORGED]):
        rejecting.rejected.note(rejections)
    assert rejecting.calls == 2


@on_virtual_time
async def test_the_log_has_the_line_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "curfew.refusals")
    Rejecting().rejected.note([FORGED])
    [line] = [each for each in caplog.records if each.name == "curfew.refusals"]
    assert line.forged == 1  # type: ignore[attr-defined]
