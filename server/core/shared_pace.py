"""How often a node does what all nodes do, so that together they do not fill the store.

Each entry of a control stream wakes all nodes, and each of them reads, carries out and
acknowledges. If they all did that for each of many entries, the store would be full of it long
before it is full of ends. So all nodes together do it no more often than the store can bear: the
more nodes there are, the longer is the pause of each, and what comes meanwhile is done together. A
node that has done nothing lately does not pause, so it hears of a single end at once.
"""

from typing import Final

LONGEST: Final = 0.1
"""Seconds of one pause, at most: it delays how soon a node hears of an end."""


class SharedPace:
    """Counts what one node does.

    Args:
        together: how often all nodes together may do it in a second, for long.
        at_once: how often a node that has not done it for a while may do it without a pause.
    """

    def __init__(self, together: float, at_once: float) -> None:
        self._together = together
        self._at_once = self._left = at_once
        self._counted_at = float("-inf")

    def pause_after(self, now: float, nodes: int) -> float:
        """Count one, and return how many seconds to wait before the next one.

        Args:
            now: when it was done, in seconds of the monotonic clock.
            nodes: how many nodes do it.
        """
        rate = self._together / max(1, nodes)
        self._left = min(self._at_once, self._left + (now - self._counted_at) * rate) - 1
        self._counted_at = now
        return min(LONGEST, max(0.0, -self._left / rate))
