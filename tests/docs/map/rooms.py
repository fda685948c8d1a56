"""The rooms of the code and who imports whom, read from the source; nothing is imported for it.

A room is a package, a file that stands for itself, or the composition root. What a room is for is
the first sentence of its own docstring.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[3]
COMPOSITION_ROOT: Final = (
    "server/services.py",
    "server/engine.py",
    "server/supervisor.py",
    "server/background.py",
    "server/foundation.py",
    "server/account_parts.py",
)
"""Files that join what is in the other rooms; the first one says what they are for."""


@dataclass(frozen=True)
class Room:
    """A part of the code with one purpose.

    Attributes:
        name: as people call it, such as `server/store` or `run.py`.
        files: its files, from the project's folder.
        purpose: one sentence.
        imports: the names of the rooms that it imports.
    """

    name: str
    files: frozenset[str]
    purpose: str
    imports: frozenset[str]


def read_rooms(root: Path = ROOT) -> Mapping[str, Room]:
    """Return all rooms by name."""
    files = sorted(_source_files(root))
    members = defaultdict(set)
    for file in files:
        if room := room_of(file):
            members[room].add(file)
    imports = {file: set(_imported_files(root, file)) for file in files}
    return {
        name: Room(
            name,
            frozenset(inside),
            purpose_of(root, name),
            frozenset(
                room
                for file in inside
                for other in imports[file]
                if (room := room_of(other)) and room != name
            ),
        )
        for name, inside in members.items()
    }


def room_of(file: str) -> str:
    """Return the name of a file's room; empty for the two packages that only hold the others."""
    if file in COMPOSITION_ROOT:
        return "composition root"
    if file in {"handlers/__init__.py", "server/__init__.py"}:
        return ""
    folder, _, rest = file.partition("/")
    inner, separator, _ = rest.partition("/")
    return f"{folder}/{inner}" if separator else file


def purpose_of(root: Path, room: str) -> str:
    """Return the first sentence of a room's docstring, without its full stop."""
    file = {"composition root": COMPOSITION_ROOT[0]}.get(room, room)
    path = root / file if file.endswith(".py") else root / file / "__init__.py"
    words = " ".join((ast.get_docstring(_parsed(path)) or "").split())
    return re.split(r"\.(?:\s|$)", words, maxsplit=1)[0]


def needed_arrows(rooms: Mapping[str, Room]) -> set[tuple[str, str]]:
    """Return the imports that no chain of other imports implies: the arrows of a readable map."""
    reached = {name: _reached_from(name, rooms) for name in rooms}
    return {
        (name, target)
        for name, room in rooms.items()
        for target in room.imports
        if not any(target in reached[other] for other in room.imports - {target})
    }


def circle(rooms: Mapping[str, Room]) -> set[str]:
    """Return the rooms that import themselves by way of others; empty if there are none."""
    return {name for name in rooms if name in _reached_from(name, rooms)}


def _reached_from(name: str, rooms: Mapping[str, Room]) -> set[str]:
    """Return all rooms that a room imports, by whatever way."""
    reached, new = set[str](), set(rooms[name].imports)
    while new:
        reached |= new
        new = {target for each in new for target in rooms[each].imports} - reached
    return reached


def _source_files(root: Path) -> Iterator[str]:
    yield from ("run.py", "settings.py")
    for folder in ("handlers", "server"):
        yield from (str(path.relative_to(root)) for path in (root / folder).rglob("*.py"))


def _imported_files(root: Path, file: str) -> Iterator[str]:
    """Yield the files of ours that a file imports, wherever in it."""
    for node in ast.walk(_parsed(root / file)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (found for name in names if (found := _file_of(root, name)))


def _file_of(root: Path, name: str) -> str:
    """Return the file of a module, or of the module that a name is in; empty if it is not ours."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        path = root.joinpath(*parts[:end])
        for candidate in (path.with_suffix(".py"), path / "__init__.py"):
            if candidate.exists():
                return str(candidate.relative_to(root))
    return ""


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
