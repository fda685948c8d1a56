"""Durations and moments in the unit that stores and browsers count in, and as people write them."""

import math
from datetime import timedelta
from typing import Final

_MILLISECOND: Final = timedelta(milliseconds=1)
_UNITS: Final = (("h", 3_600_000), ("m", 60_000), ("s", 1_000))


def milliseconds(duration: timedelta) -> int:
    """Return a duration in whole milliseconds, rounded down."""
    return duration // _MILLISECOND


def whole_milliseconds(moment: float) -> float:
    """Return a moment in Unix seconds, rounded down to a millisecond: it takes less room."""
    return math.floor(moment * 1000) / 1000


def as_setting(duration: timedelta) -> str:
    """Return a duration as a setting takes it, in the largest unit that leaves no fraction."""
    left = milliseconds(duration)
    for unit, length in _UNITS:
        if left % length == 0:
            return f"{left // length}{unit}"
    return f"{left}ms"
