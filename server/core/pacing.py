"""How a node that stops hands over its sockets, so that those that take them can keep up.

A socket is closed in its turn, and its client is told a moment of its own to come back, within a
window. So nobody is away for longer than a window, however many sockets there are.
"""

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

WINDOW: Final = timedelta(seconds=5)
"""Clients are asked to come back at random moments within it, never all at once."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How sockets are closed.

    Attributes:
        at_once: how many are closed together.
        window: the time over which these come back, and until the next ones are closed.
    """

    at_once: int
    window: timedelta


def pace_of(sockets: int, *, stopping: int, staying: int, rate: int, longest: timedelta) -> Pace:
    """Return how a node closes its sockets.

    Args:
        sockets: how many it has.
        stopping: how many nodes stop now, this one included.
        staying: how many nodes take the sockets; 0 if these very nodes come back, or none does.
        rate: sockets that a node takes in a second.
        longest: the time that all of this may take. It goes before the rate.
    """
    if staying == 0:
        # Nothing is won by waiting: whoever takes them starts after this node has stopped.
        seconds = min(max(sockets / rate, WINDOW.total_seconds()), longest.total_seconds())
        return Pace(max(1, sockets), max(WINDOW, timedelta(seconds=seconds)))
    fits = math.floor(rate * staying / stopping * WINDOW.total_seconds())
    windows = max(1, longest // WINDOW)
    return Pace(max(1, fits, math.ceil(sockets / windows)), WINDOW)
