"""Draws the map of the rooms as SVG, for light and dark."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise
from math import hypot
from typing import Final

from tests.docs.map.arrows import Point, ways
from tests.docs.map.floor_plan import LEGEND, LINE, MARGIN, PADDING, PLACES, WIDTH, Box, plan
from tests.docs.map.rooms import Room, needed_arrows

CORNER: Final = 9
"""Radius at which an arrow turns."""
HINTS: Final = (
    "An arrow goes from a room to a room that it imports.",
    "All arrows point down. An import that a chain of arrows",
    "already shows has no arrow of its own.",
)
KEY: Final = (
    ("web", "handlers: the web, by Tornado"),
    ("engine", "server: the engine, without Tornado"),
    ("file", "a file that is a room of its own"),
)
SHOWN_AS: Final = {
    "composition root": "server: services.py, engine.py, supervisor.py, foundation.py, "
    "account_parts.py, background.py"
}
STYLE: Final = """
    .card { fill: #ffffff; stroke: #d5d7e0; }
    .web { fill: #e9ecfb; stroke: #7f88c4; }
    .engine { fill: #e3f1ea; stroke: #5c9c7c; }
    .file { fill: #f6efdf; stroke: #b99a55; }
    .arrow { stroke: #4a4f78; stroke-width: 1.5; fill: none; }
    .tip { fill: #4a4f78; }
    text { font: 12.5px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #3d4163; }
    .name { font: 600 14px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
    .title { font-weight: 600; font-size: 19px; }
    .name, .title { fill: #1c1e3d; }
    @media (prefers-color-scheme: dark) {
      .card { fill: #15172b; stroke: #3a3d5c; }
      .web { fill: #23274e; stroke: #7880c4; }
      .engine { fill: #16352b; stroke: #4f9a78; }
      .file { fill: #3a3018; stroke: #b0914d; }
      .arrow { stroke: #aeb3e0; }
      .tip { fill: #aeb3e0; }
      text { fill: #c3c8e6; }
      .name, .title { fill: #eceefb; }
    }
"""
HEAD: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" role="img"
     aria-labelledby="title desc">
  <title id="title">The rooms of the code</title>
  <desc id="desc">{words}</desc>
  <style>{style}  </style>
  <defs>
    <marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7"
            orient="auto"><path class="tip" d="M0 0.5 10 5 0 9.5z"/></marker>
  </defs>"""


def drawn(rooms: Mapping[str, Room]) -> str:
    """Return the map as an SVG document."""
    boxes = plan({name: room.purpose.replace("`", "") for name, room in rooms.items()})
    height = max(box.bottom for box in boxes.values()) + MARGIN
    arrows = ways(needed_arrows(rooms), boxes)
    return "\n".join(
        [
            HEAD.format(width=WIDTH, height=height, words=escape(_in_words(rooms)), style=STYLE),
            _rectangle("card", Box(0, 1, 1, WIDTH - 2, height - 2), radius=12),
            *_legend(boxes[LEGEND]),
            *(_arrow(corners) for _, corners in sorted(arrows.items())),
            *(line for name in PLACES for line in _room(name, boxes[name])),
            "</svg>\n",
        ]
    )


def _in_words(rooms: Mapping[str, Room]) -> str:
    """Return what the arrows show, for whoever does not see them."""
    targets: dict[str, list[str]] = {name: [] for name in PLACES}
    for source, target in sorted(needed_arrows(rooms), key=lambda arrow: PLACES[arrow[1]]):
        targets[source].append(target)
    led = [f"From {name} to {', '.join(to)}." for name, to in targets.items() if to]
    return " ".join(["Arrows go from a room to the rooms below that it imports.", *led])


def _legend(box: Box) -> list[str]:
    y = box.top + 16
    lines = [_text("The rooms of the code", box.left, y, kind="title")]
    y += 6
    for hint in HINTS:
        y += 20
        lines.append(_text(hint, box.left, y))
    y += 12
    for kind, meaning in KEY:
        y += 24
        lines.append(_rectangle(kind, Box(0, box.left, y - 12, 22, 16), radius=4))
        lines.append(_text(meaning, box.left + 32, y))
    return lines


def _room(name: str, box: Box) -> list[str]:
    kind = "web" if name.startswith("handlers/") else "engine"
    left, y = box.left + PADDING, box.top + PADDING + 11
    return [
        _rectangle("file" if name.endswith(".py") else kind, box, radius=8),
        _text(SHOWN_AS.get(name, name), left, y, kind="name"),
        *(_text(line, left, y + LINE * row) for row, line in enumerate(box.text, 1)),
    ]


def _rectangle(kind: str, box: Box, *, radius: int) -> str:
    return (
        f'  <rect class="{kind}" x="{box.left:.1f}" y="{box.top:.1f}" width="{box.width:.1f}"'
        f' height="{box.height:.1f}" rx="{radius}"/>'
    )


def _text(text: str, x: float, y: float, *, kind: str = "") -> str:
    kind = f' class="{kind}"' if kind else ""
    return f'  <text{kind} x="{x:.1f}" y="{y:.1f}">{escape(text, quote=False)}</text>'


def _arrow(corners: Sequence[Point]) -> str:
    """Return an arrow along the corners, which are rounded."""
    path = f"M{_at(corners[0])}"
    for (before, corner), (_, after) in pairwise(pairwise(corners)):
        path += f"L{_at(_near(corner, before))}Q{_at(corner)} {_at(_near(corner, after))}"
    return f'  <path class="arrow" marker-end="url(#tip)" d="{path}L{_at(corners[-1])}"/>'


def _near(corner: Point, other: Point) -> Point:
    """Return the point on the way to another at which the rounding of a corner ends."""
    length = hypot(other[0] - corner[0], other[1] - corner[1])
    share = min(CORNER, length / 2) / length
    return (
        corner[0] + (other[0] - corner[0]) * share,
        corner[1] + (other[1] - corner[1]) * share,
    )


def _at(point: Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"
