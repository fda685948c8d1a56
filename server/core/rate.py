"""A rate limit: a token bucket whose state is one number."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket that holds `burst` tokens and refills evenly.

    Attributes:
        per_second: tokens added in a second.
        burst: tokens in a full bucket.
    """

    per_second: float
    burst: int

    def take(self, full_at: float, now: float) -> float | None:
        """Take one token.

        Args:
            full_at: when the bucket will be full, in seconds; for a new one, any time in the past.
            now: seconds on the same clock.

        Returns:
            when it will be full after this; None if it is empty, so that nothing was taken.
        """
        then = max(full_at, now) + 1 / self.per_second
        # Compared with half a token more than the burst, because sums of fractions are not exact.
        return then if then < now + (self.burst + 0.5) / self.per_second else None

    def next_at(self, full_at: float) -> float:
        """Return from when on a token can be taken.

        Args:
            full_at: when the bucket will be full, in seconds.
        """
        return full_at - (self.burst - 0.5) / self.per_second
