"""The figures of the attacks, kept beside the page, so that a single one can be measured anew."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from statistics import median
from typing import Any, Final, Self

from benchmarks.attacks.others import Seen

AT_MOST: Final = 3.0
"""How many times as long as in quiet the median and the worst may be."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one client has seen; times are in milliseconds.

    Attributes:
        number: of the requests that were answered with 200.
        median: of their latencies.
        worst: the longest.
        computing: median of what the server's loop computed meanwhile; 0 if it was not asked.
        refused: how often each other status came; 0 is a connection that was cut.
    """

    number: int
    median: float
    worst: float
    computing: float
    refused: dict[str, int]

    @classmethod
    def of(cls, seen: Seen) -> Self:
        """Return the figures of what was seen."""
        return cls(
            number=len(seen.latencies),
            median=_milliseconds(seen.median),
            worst=_milliseconds(seen.worst),
            computing=_milliseconds(median(seen.computing or [0.0])),
            refused={str(status): count for status, count in seen.refused.items()},
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One attack in one placing.

    Attributes:
        attack: its name.
        placing: who had which cores.
        measured: the day.
        rounds: how many there were.
        seconds: of each.
        quiet: the session requests in quiet.
        attacked: the session requests meanwhile.
        quiet_sign_ins: the sign-ins in quiet.
        attacked_sign_ins: the sign-ins meanwhile.
    """

    attack: str
    placing: str
    measured: str
    rounds: int
    seconds: float
    quiet: Figures
    attacked: Figures
    quiet_sign_ins: Figures
    attacked_sign_ins: Figures

    @property
    def times(self) -> float:
        """How many times as long as in quiet the median is."""
        return ratio(self.attacked.median, self.quiet.median)

    @property
    def worst_times(self) -> float:
        """How many times as long as in quiet the worst is."""
        return ratio(self.attacked.worst, self.quiet.worst)

    @property
    def sign_in_times(self) -> float:
        """How many times as long as in quiet the median of the sign-ins is."""
        return ratio(self.attacked_sign_ins.median, self.quiet_sign_ins.median)

    @property
    def computing_times(self) -> float:
        """How many times as much as in quiet the server's loop computes."""
        return ratio(self.attacked.computing, self.quiet.computing)

    @property
    def is_short(self) -> bool:
        """Whether it falls short of the aim."""
        is_refused = bool(self.attacked.refused or self.attacked_sign_ins.refused)
        return is_refused or max(self.times, self.worst_times) > AT_MOST

    @classmethod
    def read(cls, told: dict[str, Any]) -> Self:
        """Return a row that was kept."""
        seen = "quiet", "attacked", "quiet_sign_ins", "attacked_sign_ins"
        return cls(**told | {each: Figures(**told[each]) for each in seen})


def _milliseconds(seconds: float) -> float:
    return round(1e3 * seconds, 2)


def ratio(during: float, before: float) -> float:
    """Return how many times as much it became; infinite if there is nothing to compare."""
    return during / before if before else inf


def today() -> str:
    """Return the day of a measurement."""
    return datetime.now(UTC).date().isoformat()


def kept_in(path: Path) -> list[Row]:
    """Return the rows of earlier runs."""
    if not path.exists():
        return []
    return [Row.read(each) for each in json.loads(path.read_text(encoding="utf-8"))]


def keep(rows: Iterable[Row], path: Path, order: list[str]) -> list[Row]:
    """Put rows in the place of earlier ones of the same attacks; return all.

    Args:
        rows: that were measured now.
        path: of the file.
        order: the names of all attacks that there are.
    """
    known = {(each.attack, each.placing): each for each in [*kept_in(path), *rows]}
    kept = [each for each in known.values() if each.attack in order]
    kept.sort(key=lambda each: order.index(each.attack))
    lines = ",\n".join(json.dumps(asdict(each)) for each in kept)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    return kept
