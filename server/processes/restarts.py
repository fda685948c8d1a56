"""When a process that died may start again.

A process that ran well is restarted at once. One that keeps dying soon after its start is restarted
with growing delays, so that a broken set-up neither uses up the processor nor floods the log.
"""

import time
from collections.abc import Callable

FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 5.0
WELL_AFTER_SECONDS = 1.0
"""A process that lived as long as this ran well."""


class RestartPlan:
    """The restarts of one process. Its first start is due at once.

    Args:
        monotonic: a clock in seconds that is never set back.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Make the first start due now."""
        self._monotonic = monotonic
        self._due_at: float | None = monotonic()
        self._started_at = 0.0
        self._delay = 0.0

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the next start, 0 when it is due, None while the process runs."""
        return None if self._due_at is None else max(0.0, self._due_at - self._monotonic())

    @property
    def is_due(self) -> bool:
        """Whether the process should be started now."""
        return self.seconds_left == 0.0

    def started(self) -> None:
        """Note that the process runs."""
        self._due_at = None
        self._started_at = self._monotonic()

    def died(self) -> None:
        """Note that the process is gone, and decide when it is due again."""
        now = self._monotonic()
        self._delay = 0.0 if now - self._started_at >= WELL_AFTER_SECONDS else self._longer()
        self._due_at = now + self._delay

    def _longer(self) -> float:
        return min(max(2 * self._delay, FIRST_DELAY_SECONDS), LONGEST_DELAY_SECONDS)
