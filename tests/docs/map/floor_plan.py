"""Where each room stands on the map of the rooms.

Rows go from the entry down to the core. A room may import rooms of lower rows only, so every arrow
points down. A new room needs a place in `PLACES`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 1000
MARGIN: Final = 34
"""Left and right of the rooms; arrows that go around a row run there."""
COLUMNS: Final = 4
GAP: Final = 28
"""Between columns; arrows that pass between rooms run there."""
ROW_GAP: Final = 40
"""Between rows; arrows turn there."""
TOP: Final = 32
LINE: Final = 17.0
"""Height of a line of text."""
PADDING: Final = 12
CHARACTER: Final = 6.9
"""Mean width of a character of a purpose, in the widest of the fonts that may be used."""
LEGEND: Final = "the legend"

PLACES: Final[Mapping[str, tuple[int, int, int]]] = {
    # room: (row, first column, last column)
    "run.py": (0, 2, 3),
    "handlers/serving": (1, 2, 3),
    "handlers/routes.py": (2, 0, 2),
    "handlers/front": (2, 3, 3),
    "handlers/api": (3, 0, 0),
    "handlers/pages": (3, 1, 1),
    "handlers/websocket": (3, 2, 2),
    "handlers/openapi": (3, 3, 3),
    "handlers/http": (4, 0, 2),
    "server/commands": (4, 3, 3),
    "handlers/languages": (5, 0, 0),
    "composition root": (5, 1, 3),
    "server/accounts": (6, 0, 1),
    "server/telemetry": (6, 2, 2),
    "server/embedded": (6, 3, 3),
    "server/realtime": (7, 1, 2),
    "server/processes": (7, 3, 3),
    "server/sessions": (8, 0, 2),
    "server/store": (9, 0, 2),
    "settings.py": (9, 3, 3),
    "server/crypto": (10, 0, 3),
    "server/core": (11, 0, 3),
}


@dataclass(frozen=True)
class Box:
    """A rectangle on the map.

    Attributes:
        row: of the room, counted from the top.
        left: its left edge.
        top: its upper edge.
        width: to its right edge.
        height: to its lower edge.
        text: what the room is for, in lines that fit.
    """

    row: int
    left: float
    top: float
    width: float
    height: float
    text: Sequence[str] = ()

    @property
    def right(self) -> float:
        """The right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.top + self.height


def plan(purposes: Mapping[str, str]) -> dict[str, Box]:
    """Return the box of each room, and that of the legend.

    Args:
        purposes: of each room, one sentence.

    Raises:
        LookupError: a room has no place yet, or a place no room.
    """
    if odd := purposes.keys() ^ PLACES.keys():
        raise LookupError(f"PLACES in {__file__} needs other rooms: {', '.join(sorted(odd))}")
    boxes, top = dict[str, Box](), float(TOP)
    for row in range(1 + max(row for row, _, _ in PLACES.values())):
        here = {room: _span(first, last) for room, (at, first, last) in PLACES.items() if at == row}
        lines = {
            room: wrapped(purposes[room], width - 2 * PADDING) for room, (_, width) in here.items()
        }
        height = 2 * PADDING + LINE * (1 + max(map(len, lines.values())))
        for room, (left, width) in here.items():
            boxes[room] = Box(row, left, top, width, height, lines[room])
        top += height + ROW_GAP
    left, width = _span(0, 1)
    above = boxes["handlers/routes.py"].top - ROW_GAP - TOP
    return boxes | {LEGEND: Box(0, left, TOP, width, above)}


def wrapped(text: str, width: float) -> list[str]:
    """Return a text in lines that fit into a width."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and len(longer) * CHARACTER > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _span(first: int, last: int) -> tuple[float, float]:
    """Return the left edge and the width of a box over these columns."""
    column = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS
    return MARGIN + first * (column + GAP), (last - first + 1) * (column + GAP) - GAP
