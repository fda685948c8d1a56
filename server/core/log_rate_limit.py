"""Limits how many lines of one kind are logged: strangers decide how often something happens.

Each kind has a token bucket. A burst is logged in full, a flood at a steady rate. The lines left
out are counted, and the count is logged.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

BURST: Final = 60
"""Lines of one kind that are written at once: more than the mistakes of one person cause."""
PER_SECOND: Final = 1.0
"""Lines of one kind after that: about 20 MB in a day of the most frequent kind, in any flood."""
MAX_KINDS: Final = 4096
"""Buckets kept. The least recently used one is dropped; its count is still logged."""
TELL_EVERY: Final = 10.0
"""Seconds between two reports of what was left out."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float
    left_out: int = 0


class LogRateLimit:
    """Decides for each line whether it is written."""

    def __init__(self, now: float) -> None:
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._forgotten: dict[str, int] = {}
        self._told_at = now

    def allows(self, kind: str, now: float) -> bool:
        """Return whether a line of this kind may be written now; if not, count it.

        Args:
            kind: lines of the same kind share one limit.
            now: seconds on a clock that never goes back.
        """
        bucket = self._bucket(kind, now)
        bucket.left = min(BURST, bucket.left + (now - bucket.at) * PER_SECOND)
        bucket.at = now
        if bucket.left < 1:
            bucket.left_out += 1
            return False
        bucket.left -= 1
        return True

    def pop_left_out(self, now: float, *, closing: bool = False) -> dict[str, int]:
        """Return how many lines of each kind were left out, and start counting anew.

        Return nothing if the last report is less than `TELL_EVERY` ago.

        Args:
            now: seconds on a clock that never goes back.
            closing: this is the last report, so return the counts in any case.
        """
        if now < self._told_at + TELL_EVERY and not closing:
            return {}
        self._told_at = now
        counts = dict(self._counts())
        self._forgotten.clear()
        for bucket in self._buckets.values():
            bucket.left_out = 0
        return counts

    def _counts(self) -> Iterator[tuple[str, int]]:
        yield from self._forgotten.items()
        for kind, bucket in self._buckets.items():
            if bucket.left_out:
                yield kind, bucket.left_out + self._forgotten.get(kind, 0)

    def _bucket(self, kind: str, now: float) -> _Bucket:
        bucket = self._buckets.get(kind)
        if bucket is None:
            bucket = self._buckets[kind] = _Bucket(BURST, now)
            if len(self._buckets) > MAX_KINDS:
                self._forget()
        self._buckets.move_to_end(kind)
        return bucket

    def _forget(self) -> None:
        kind, bucket = self._buckets.popitem(last=False)
        if bucket.left_out:
            self._forgotten[kind] = self._forgotten.get(kind, 0) + bucket.left_out
