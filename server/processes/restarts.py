"""When something that died may be started again.

A process that had been well comes back at once. One that dies young, again and again, is started
ever more slowly, so that a broken set-up costs no processor and floods no log.
"""

import time

FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 5.0
WELL_AFTER_SECONDS = 1.0


class RestartPlan:
    """The restarts of one process, due at once when new."""

    def __init__(self) -> None:
        """Begin with a start that is due now."""
        self._due_at: float | None = time.monotonic()
        self._started_at = 0.0
        self._delay = 0.0

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the next start, 0 when it is due, None while the process runs."""
        return None if self._due_at is None else max(0.0, self._due_at - time.monotonic())

    @property
    def is_due(self) -> bool:
        """Whether to start the process now."""
        return self.seconds_left == 0.0

    def started(self) -> None:
        """Note that the process runs."""
        self._due_at = None
        self._started_at = time.monotonic()

    def died(self) -> None:
        """Note that the process is gone, and set when it is due again."""
        now = time.monotonic()
        self._delay = 0.0 if now - self._started_at >= WELL_AFTER_SECONDS else self._longer()
        self._due_at = now + self._delay

    def _longer(self) -> float:
        return min(max(2 * self._delay, FIRST_DELAY_SECONDS), LONGEST_DELAY_SECONDS)
