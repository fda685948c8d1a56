"""The way of each arrow on the map: straight down where nothing is between, else around it."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import chain, pairwise
from typing import Final

from tests.docs.map.floor_plan import ROW_GAP, WIDTH, Box

APART: Final = 16.0
"""Between two arrows side by side, and between an arrow and a box that it passes."""
Point = tuple[float, float]
Arrow = tuple[str, str]


def ways(arrows: AbstractSet[Arrow], boxes: Mapping[str, Box]) -> dict[Arrow, list[Point]]:
    """Return the corners of each arrow, from the room that imports to the one that is imported."""
    router = _Router(boxes)
    short_first = sorted(arrows, key=lambda each: (boxes[each[1]].row - boxes[each[0]].row, each))
    return {arrow: router.way(boxes[arrow[0]], boxes[arrow[1]]) for arrow in short_first}


class _Router:
    """Finds ways, each beside the ones before."""

    def __init__(self, boxes: Mapping[str, Box]) -> None:
        self._boxes = boxes.values()
        self._down: list[tuple[float, float, float]] = []
        self._across: list[tuple[float, float, float]] = []

    def way(self, source: Box, target: Box) -> list[Point]:
        corners = self._straight(source, target) or self._around(source, target)
        for (x, y), (to_x, to_y) in pairwise(corners):
            if x == to_x:
                self._down.append((x, y, to_y))
            else:
                self._across.append((y, min(x, to_x), max(x, to_x)))
        return corners

    def _straight(self, source: Box, target: Box) -> list[Point]:
        left, right = max(source.left, target.left), min(source.right, target.right)
        if right - left < 2 * APART:
            return []
        for x in _outwards((left + right) / 2, right - left - 2 * APART):
            if self._is_free(x, source.bottom, target.top):
                return [(x, source.bottom), (x, target.top)]
        return []

    def _around(self, source: Box, target: Box) -> list[Point]:
        """Return a way down into the gap, across, down beside the rooms, across, and down."""
        first = source.bottom + ROW_GAP / 2, target.top - ROW_GAP / 2
        for x in _outwards((source.right + target.right) / 2, 2 * WIDTH):
            if not (APART / 2 < x < WIDTH - APART / 2):
                continue
            if not self._is_free(x, first[0], first[1]):
                continue
            start = self._port(source, x, source.bottom, first[0])
            end = self._port(target, x, first[1], target.top)
            out = self._level(first[0], start, x)
            into = self._level(first[1], x, end) if first[1] > first[0] else out
            corners = [(start, source.bottom), (start, out), (x, out)]
            corners += [(x, into), (end, into), (end, target.top)]
            return [corners[0], *(at for before, at in pairwise(corners) if at != before)]
        raise ValueError("there is no way")

    def _port(self, box: Box, x: float, top: float, bottom: float) -> float:
        """Return where to leave or enter a box: as near to `x` as it can be."""
        nearest = min(max(x, box.left + APART), box.right - APART)
        places = (
            at
            for at in _outwards(nearest, 2 * box.width)
            if box.left + APART <= at <= box.right - APART and self._is_free(at, top, bottom)
        )
        return next(places)

    def _is_free(self, x: float, top: float, bottom: float) -> bool:
        """Whether nothing is at this place between two heights."""
        in_the_way = chain(
            ((box.left, box.right, box.top, box.bottom) for box in self._boxes),
            ((at, at, start, end) for at, start, end in self._down),
        )
        return not any(
            left - APART / 2 < x < right + APART / 2 and start < bottom and top < end
            for left, right, start, end in in_the_way
        )

    def _level(self, middle: float, start: float, end: float) -> float:
        """Return a height for the way across, apart from the ways that are there."""
        left, right = min(start, end), max(start, end)
        return next(
            level
            for level in _outwards(middle, 4 * APART, step=7)
            if all(
                abs(level - at) >= 6 or right < other_left or other_right < left
                for at, other_left, other_right in self._across
            )
        )


def _outwards(middle: float, width: float, step: float = 4) -> Iterator[float]:
    """Yield places around a middle, the nearest first."""
    yield middle
    distance = step
    while distance <= width / 2:
        yield middle + distance
        yield middle - distance
        distance += step
