"""How often something may happen: a token bucket, kept as one number."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket that holds `burst` tokens and refills evenly.

    Attributes:
        per_second: how many tokens come back in a second.
        burst: how many a full bucket holds.
    """

    per_second: float
    burst: int

    def take(self, full_at: float, now: float) -> float | None:
        """Take a token out.

        Args:
            full_at: when the bucket is full again, in seconds; of a new one, any time in the past.
            now: seconds on the same clock.

        Returns:
            when it is full again after this; None if it is empty, and nothing was taken.
        """
        then = max(full_at, now) + 1 / self.per_second
        # Half a token more than it holds: sums of fractions are never exact.
        return then if then < now + (self.burst + 0.5) / self.per_second else None
