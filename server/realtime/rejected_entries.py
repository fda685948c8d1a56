"""Says that entries of the streams were refused: in the audit trail, and not once for each.

Whoever can write to the store can write a hundred thousand entries a second. That must not fill the
log, too.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from server.core.audit import AuditEvent, Record
from server.core.events import EntryRejection

log = logging.getLogger("curfew.refusals")

PAUSE: Final = 5.0
"""Seconds between two lines; a line tells how many there were since the one before."""


class RejectedEntries:
    """Counts what was refused, and tells of it.

    Args:
        record: keeps the audit trail.
        on_refusal: called for every batch with refused entries.
        monotonic: seconds, never set back.
    """

    def __init__(
        self, record: Record, on_refusal: Callable[[], object], monotonic: Callable[[], float]
    ) -> None:
        self._record = record
        self._on_refusal = on_refusal
        self._monotonic = monotonic
        self._untold: Counter[str] = Counter()
        self._told_at = float("-inf")

    def note(self, refused: Sequence[EntryRejection]) -> None:
        """Note what one read of the streams brought; none is noted, too."""
        self._untold.update(each.value for each in refused)
        if refused:
            self._on_refusal()
        if self._untold and self._monotonic() >= self._told_at + PAUSE:
            counts: dict[str, float] = dict(self._untold)
            log.warning("entries of the streams were refused", extra=counts)
            self._record(AuditEvent.EVENT_REFUSED, user="", sid="", ip="", device="", **counts)
            self._untold.clear()
            self._told_at = self._monotonic()
