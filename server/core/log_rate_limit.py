"""How many lines of one kind a log takes: strangers decide how often something happens, not we.

A bucket for each kind: a burst is written whole, a flood at a steady rate, and what was left out
is counted and told. Pure: the clock is handed in.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

BURST: Final = 60
"""Lines of one kind that are written at once: more than an incident of one person's makes."""
PER_SECOND: Final = 1.0
"""Lines of one kind from then on: about 20 MB a day of the most frequent, whatever the flood."""
MAX_KINDS: Final = 4096
"""Buckets kept; the one that was used least recently goes, with its count told."""
TELL_EVERY: Final = 10.0
"""Seconds between two lines about what was left out."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float
    left_out: int = 0


class LogRateLimit:
    """Decides line by line what is written."""

    def __init__(self, now: float) -> None:
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._forgotten: dict[str, int] = {}
        self._told_at = now

    def allows(self, kind: str, now: float) -> bool:
        """Whether a line of this kind is written now; if not, it is counted.

        Args:
            kind: what is held back together.
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
        """What was left out of each kind since it was told last; nothing if that was just now.

        Args:
            now: seconds on a clock that never goes back.
            closing: there will be no later time to tell it.
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
