"""Which workers hang: those that show no heartbeat for too long, while the parent itself ran.

A machine that was suspended, or a group of processes that was stopped, wakes up with old heartbeats
everywhere. So what counts is the time that the parent saw pass: between two looks it counts no more
than twice the time between two heartbeats, however much later its clock is.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final

BEAT_SECONDS: Final = 1.0
"""The time between two heartbeats, and the longest time between two looks."""


class Watchdog:
    """Counts the silence of each worker.

    Args:
        limit: Seconds of silence after which a worker hangs; None if none ever does.
        monotonic: A clock in seconds that is never set back.
    """

    def __init__(
        self, limit: float | None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Know no worker yet."""
        self._limit = limit
        self._monotonic = monotonic
        self._looked_at = monotonic()
        self._seen: dict[int, int] = {}
        self._silence: dict[int, float] = {}

    @property
    def seconds_left(self) -> float | None:
        """The longest time until the next look; None if it need not look."""
        return None if self._limit is None else BEAT_SECONDS

    def look(self, beats: Mapping[int, int]) -> list[int]:
        """Return the process ids of workers that hang.

        Args:
            beats: For each worker that runs, by its process id, a number that changes with every
                heartbeat.
        """
        now = self._monotonic()
        passed = min(now - self._looked_at, 2 * BEAT_SECONDS)
        self._looked_at = now
        self._silence = {
            each: self._silence[each] + passed if self._seen.get(each) == beat else 0.0
            for each, beat in beats.items()
        }
        self._seen = dict(beats)
        if self._limit is None:
            return []
        return [each for each, silence in self._silence.items() if silence >= self._limit]
