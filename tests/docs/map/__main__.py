"""Writes the map of the rooms: `python -m tests.docs.map` (`make map`).

It draws `docs/images/rooms.svg`, and tells the same in the table of `docs/architecture.md`.
"""

import re
from collections.abc import Mapping
from typing import Final

from tests.docs.map.drawing import drawn
from tests.docs.map.floor_plan import PLACES
from tests.docs.map.rooms import COMPOSITION_ROOT, ROOT, Room, read_rooms

PICTURE: Final = ROOT / "docs" / "images" / "rooms.svg"
PAGE: Final = ROOT / "docs" / "architecture.md"
TABLE: Final = re.compile(
    r"(?<=<!-- made by `make map` -->\n\n).*?(?=\n\n<!-- until here -->)", re.DOTALL
)


def with_table(page: str, rooms: Mapping[str, Room]) -> str:
    """Return the page with the table of these rooms, the highest first."""
    rows = [
        f"| {_called(name)} | {rooms[name].purpose}. | {_imports(rooms[name])} |"
        for name in sorted(rooms, key=PLACES.__getitem__)
    ]
    table = "\n".join(["| room | what it is for | what it imports |", "|---|---|---|", *rows])
    return TABLE.sub(lambda _: table, page, count=1)


def _called(name: str) -> str:
    if name == "composition root":
        return f"{name}: " + ", ".join(f"`{file}`" for file in COMPOSITION_ROOT)
    return f"`{name}`"


def _imports(room: Room) -> str:
    names = sorted(room.imports, key=PLACES.__getitem__)
    return ", ".join(names) or "nothing of ours"


if __name__ == "__main__":
    found = read_rooms()
    PICTURE.write_text(drawn(found), encoding="utf-8")
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")
