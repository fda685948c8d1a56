"""The parts of the bench: each measures a group of rows, and can be measured alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.figures import Result
from benchmarks.parts import (
    alone,
    ends,
    http,
    idle,
    mass_end,
    processes,
    profile,
    rooms,
    sockets,
    store,
    writes,
)
from benchmarks.plan import Plan

PARTS: Final[dict[str, Callable[[Plan, Path], Result]]] = {
    "http": http.measure,
    "writes": writes.measure,
    "processes": processes.measure,
    "alone": alone.measure,
    "ends": ends.measure,
    "mass-end": mass_end.measure,
    "sockets": sockets.measure,
    "rooms": rooms.measure,
    "store": store.measure,
    "profile": profile.measure,
    "idle": idle.measure,
}
"""By name, in the order in which they are measured."""
