"""Durations in the unit that the store and the browser count in."""

from datetime import timedelta
from typing import Final

_MILLISECOND: Final = timedelta(milliseconds=1)


def milliseconds(duration: timedelta) -> int:
    """Return a duration in whole milliseconds, rounded down."""
    return duration // _MILLISECOND
