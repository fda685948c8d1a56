"""A stream of the store in memory: entries in order, and what of them was lost."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import itemgetter

from server.store.stream_contract import Position

ENTRIES_PER_READ = 8
"""So few that reads bring several batches, as they do under load."""


KEPT = 10_000
"""About so many entries are kept."""

EntryId = tuple[int, int]
"""Milliseconds on the store's clock, and a number that tells entries of one moment apart."""


@dataclass
class Stream:
    """Entries in order. Ids rise within one stream, even if the store's clock is set back.

    Attributes:
        now: the store's clock.
        added: how many entries were ever added.
        last: id of the last entry.
        expires_at: when the store forgets the stream.
    """

    now: Callable[[], float]
    entries: list[tuple[EntryId, object]] = field(default_factory=list)
    added: int = 0
    last: EntryId = (0, 0)
    expires_at: float = float("inf")

    def append(self, entry: object) -> None:
        """Add an entry."""
        time_ms = int(self.now() * 1000)
        self.last = max((time_ms, 0), (self.last[0], self.last[1] + 1))
        self.added += 1
        self.entries.append((self.last, entry))
        if len(self.entries) > KEPT:
            del self.entries[: len(self.entries) // 10]

    def after(
        self, position: Position, most: int = ENTRIES_PER_READ
    ) -> list[tuple[EntryId, object]]:
        """Return the next entries after a position, at most a batch."""
        first = bisect_right(self.entries, parse_id(position.entry), key=itemgetter(0))
        return self.entries[first : first + most]

    def trim(self) -> None:
        """Remove all entries."""
        self.entries.clear()

    def has_lost(self, position: Position) -> bool:
        """Return whether entries after a position are gone, or it is of another stream."""
        return self.is_another(position) or self.added - len(self.entries) > position.count

    def is_another(self, position: Position) -> bool:
        """Return whether a position is of a stream that was here before."""
        return self.added < position.count or self.last < parse_id(position.entry)

    @property
    def end(self) -> Position:
        """The position behind the last entry."""
        return Position(format_id(self.last), self.added)


def parse_id(entry: str) -> EntryId:
    """Return the id of an entry as numbers."""
    time_ms, _, sequence = entry.partition("-")
    return int(time_ms), int(sequence)


def format_id(entry: EntryId) -> str:
    """Return the id of an entry as text."""
    return f"{entry[0]}-{entry[1]}"
