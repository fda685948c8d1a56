"""What was measured: figures with a target, and series without one."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median, quantiles
from typing import Any, Self

Series = dict[str, dict[str, list[float]]]
"""Samples by what they measure, then by program."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table: what was asked for, and what every round measured.

    Attributes:
        what: was measured.
        target: in words.
        limit: the number of the target.
        samples: one for each round.
        at_most: whether the limit is the highest number that meets the target, or the lowest.
        unit: of the samples; the sign of multiplication for a ratio.
        by_worst: whether the worst round is judged, and not the median of all.
        note: what a reader must know.
    """

    what: str
    target: str
    limit: float
    samples: Sequence[float]
    at_most: bool = True
    unit: str = "×"
    by_worst: bool = False
    note: str = ""

    @property
    def value(self) -> float:
        """What is judged."""
        worst = max if self.at_most else min
        return worst(self.samples) if self.by_worst else median(self.samples)

    @property
    def verdict(self) -> str:
        """`met` or `short`; `not measured` if something was missing."""
        if not self.samples:
            return "not measured"
        met = self.value <= self.limit if self.at_most else self.value >= self.limit
        return "met" if met else "short"


@dataclass(frozen=True, slots=True)
class Result:
    """What one part of the bench measured.

    Attributes:
        figures: the rows of the table.
        series: what they and the plots were made from.
        notes: sentences under the table.
        taken: when and where.
    """

    figures: list[Figure]
    series: Series = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    taken: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Read what `as_json` returned."""
        return cls(**{**stored, "figures": [Figure(**each) for each in stored["figures"]]})


def ratios(numerators: Sequence[float], denominators: Sequence[float]) -> list[float]:
    """Return the ratio of each round: what the machine did in a round concerns both."""
    return [above / below for above, below in zip(numerators, denominators, strict=True)]


def percentile(samples: Sequence[float], percent: int) -> float:
    """Return the sample that so many percent do not exceed."""
    if len(samples) == 1:
        return samples[0]
    return quantiles(samples, n=100, method="inclusive")[percent - 1]
