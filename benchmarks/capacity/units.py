"""The unit costs that the model computes with, and how they are fitted from measurements."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True)
class Units:
    """What one of each costs. CPU is in microseconds of one core, of the node or of the store.

    Attributes:
        idle_node: a second of a process that serves nothing, on the node.
        idle_store: the same, in the store.
        request_node: an authenticated request, on the node that answers.
        request_store: the same, in the store.
        end_node: a logout, on the node that is asked, besides what grows with the nodes.
        end_store: the same, in the store.
        heard_node: hearing of one end and acknowledging it, on each listed node together with the
            initiator's taking of that acknowledgement.
        heard_store: the same, in the store.
        socket_node: a second of an idle socket, on its node.
        socket_bytes: the memory of an idle socket, on its node.
        session_bytes: the memory of a session in the store, with its index entry.
        entry_store: each further entry that one read brings, in the store.
    """

    idle_node: float
    idle_store: float
    request_node: float
    request_store: float
    end_node: float
    end_store: float
    heard_node: float
    heard_store: float
    socket_node: float
    socket_bytes: float
    session_bytes: float
    entry_store: float = 0.0

    @classmethod
    def read(cls, path: Path) -> "Units":
        """Return the units in a file."""
        told = json.loads(path.read_text(encoding="utf-8"))["units"]
        return cls(**{each.name: float(told[each.name]) for each in fields(cls)})

    def as_dict(self) -> dict[str, float]:
        """Return them by name, with four digits."""
        return {name: float(f"{value:.4g}") for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line through measurements.

    Attributes:
        base: the value at 0.
        slope: by how much it grows with each 1.
    """

    base: float
    slope: float


def fitted(points: Sequence[tuple[float, float]]) -> Line:
    """Return the line that the medians of all pairs of points give (Theil and Sen).

    One round that was disturbed does not move it, and neither is below 0.
    """
    slopes = [
        (y2 - y1) / (x2 - x1)
        for n, (x1, y1) in enumerate(points)
        for x2, y2 in points[n + 1 :]
        if x1 != x2
    ]
    slope = max(0.0, median(slopes))
    return Line(max(0.0, median(y - slope * x for x, y in points)), slope)
