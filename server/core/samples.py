"""Numbers that processes counted, as one reading of their metrics told them, and what changed."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

MACHINE: Final = "curfew_machine_"
"""Begins the names of what all processes of a machine counted together; see `Machine`."""
NODE: Final = "curfew_"


@dataclass(frozen=True, slots=True)
class Series:
    """One series with its number.

    Attributes:
        name: of the metric, as Prometheus stores it.
        labels: which of its series.
        value: the number.
    """

    name: str
    labels: Mapping[str, str]
    value: float


class Samples:
    """The samples of one reading. Metrics are named here without how their names begin.

    Args:
        samples: of all machines that were read.
    """

    def __init__(self, samples: Iterable[Series] = ()) -> None:
        self._by_name: defaultdict[str, list[Series]] = defaultdict(list)
        for each in samples:
            self._by_name[each.name].append(each)

    def without(self, label: str, values: Collection[str]) -> "Samples":
        """Return these without the series in which a label has one of these values."""
        every = (each for samples in self._by_name.values() for each in samples)
        return Samples(each for each in every if each.labels.get(label) not in values)

    def of_nodes(self, name: str) -> dict[str, float]:
        """Return a number of each node, summed over its other labels."""
        found: defaultdict[str, float] = defaultdict(float)
        for each in self._by_name.get(NODE + name, ()):
            found[each.labels.get("node", "")] += each.value
        return dict(found)

    def total(self, name: str, **labels: str) -> float:
        """Return the sum over all processes, of the series with these labels."""
        return sum(each.value for each in self._of_all(name, labels))

    def largest(self, name: str) -> float | None:
        """Return the largest number of all processes; None if nobody told any."""
        return max((each.value for each in self._of_all(name, {})), default=None)

    def by(self, label: str, name: str, **labels: str) -> dict[str, float]:
        """Return the sums over all processes, by the values of a label."""
        found: defaultdict[str, float] = defaultdict(float)
        for each in self._of_all(name, labels):
            found[each.labels.get(label, "")] += each.value
        return dict(found)

    def _of_all(self, name: str, labels: Mapping[str, str]) -> list[Series]:
        """Return the series of all processes; of a server that told only of one, that one's."""
        found = self._by_name.get(MACHINE + name) or self._by_name.get(NODE + name, [])
        return [each for each in found if labels.items() <= each.labels.items()]


def increase(name: str, now: Samples, before: Samples | None, **labels: str) -> float:
    """Return by how much a counter grew. One that began anew counts from zero.

    Args:
        name: of the counter.
        now: the later reading.
        before: the earlier one; None counts from the start of the server.
        labels: of the series that count.
    """
    total = now.total(name, **labels)
    earlier = before.total(name, **labels) if before else 0.0
    return total - earlier if total >= earlier else total


def quantile(
    share: float, name: str, now: Samples, before: Samples | None = None, **labels: str
) -> float | None:
    """Return an upper bound of a quantile of a histogram: the limit of the bucket that has it.

    Args:
        share: 0.5 for the median.
        name: of the histogram.
        now: the later reading.
        before: the earlier one; None for all since the start of the server.
        labels: of the series that count.

    Returns:
        In the histogram's unit; None if nothing was observed, `inf` above the last limit.
    """
    counts = now.by("le", f"{name}_bucket", **labels)
    earlier = before.by("le", f"{name}_bucket", **labels) if before else {}
    buckets = sorted((float(le), counts[le] - earlier.get(le, 0.0)) for le in counts)
    if not buckets or buckets[-1][1] <= 0:
        return None
    wanted = share * buckets[-1][1]
    return next(limit for limit, count in buckets if count >= wanted)
