"""Reports entries of the streams that were rejected: in the audit trail, but not one by one.

Whoever can write to the store can write a hundred thousand entries a second. They must not fill
the log as well.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from server.core.audit import AuditEvent
from server.core.context import NodeContext
from server.core.events import EntryRejection

log = logging.getLogger("curfew.refusals")

REPORT_INTERVAL: Final = 5.0
"""Seconds between two lines. A line counts the entries since the one before."""


class RejectedEntries:
    """Counts rejected entries, and reports them.

    Args:
        context: this node's clocks and audit trail.
    """

    def __init__(self, context: NodeContext) -> None:
        self._context = context
        self._observers: list[Callable[[], object]] = []
        self._unreported: Counter[str] = Counter()
        self._reported_at = float("-inf")

    def subscribe(self, observer: Callable[[], object]) -> None:
        """Call `observer` after each read that brought rejected entries."""
        self._observers.append(observer)

    def note(self, rejections: Sequence[EntryRejection]) -> None:
        """Count the rejected entries of one read, and report them when it is time.

        Call it after every read, also if no entry was rejected: earlier ones may be due.
        """
        self._unreported.update(each.value for each in rejections)
        if rejections:
            for observer in self._observers:
                observer()
        if self._unreported and self._context.monotonic() >= self._reported_at + REPORT_INTERVAL:
            self._report()

    def _report(self) -> None:
        counts: dict[str, float] = dict(self._unreported)
        log.warning("entries of the streams were rejected", extra=counts)
        self._context.record(AuditEvent.EVENT_REFUSED, user="", sid="", ip="", device="", **counts)
        self._unreported.clear()
        self._reported_at = self._context.monotonic()
