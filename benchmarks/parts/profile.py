"""Where a request's time goes: samples of the server's stack, on its CPU time."""

import time
from collections import Counter
from pathlib import Path
from typing import Final

from benchmarks.curfew import PROFILED, Curfew
from benchmarks.figures import Result
from benchmarks.load import Asked, ask
from benchmarks.parts import writes
from benchmarks.people import People
from benchmarks.plan import Plan

KNOWN: Final = "authenticated GET, one session"
LOADED: Final = "authenticated GET, every session loaded"
WRITTEN: Final = "PATCH of session data"
PARTS: Final = "parts of a request, us of CPU"


def measure(plan: Plan, folder: Path) -> Result:
    """Measure which part of the server an authenticated GET keeps busy, and a write of data."""
    series = {label: _parts(label, plan, folder) for label in (KNOWN, LOADED, WRITTEN)}
    notes = [_note(label, parts) for label, parts in series.items()]
    return Result([], {f"{PARTS}: {label}": each for label, each in series.items()}, notes)


def _parts(label: str, plan: Plan, folder: Path) -> dict[str, list[float]]:
    """Return the CPU time of each part, in us for a request, the greatest first."""
    server = Curfew(folder / label.replace(" ", "-"), script=PROFILED)
    with server.running() as pids, server.people() as people:
        asked, path = _asked(label, plan, people)
        served = server.served(pids, path)
        ask(served, asked, plan.seconds)  # loads what only the first requests need
        since = time.perf_counter()
        sample = ask(served, asked, plan.seconds * plan.rounds)
    (noted,) = server.notes()
    counted = Counter(part for at, part in noted if at >= since)
    return {
        part: [sample.cpu_us * count / counted.total()] for part, count in counted.most_common()
    }


def _asked(label: str, plan: Plan, people: People) -> tuple[Asked, str]:
    """Return what is asked for, and of which path."""
    if label == WRITTEN:
        heads = [each.headers_to_change for each in people.sign_in(writes.SESSIONS)]
        return Asked(heads, "PATCH", writes.BODIES), "/api/session/data"
    signed_in = people.sign_in(1 if label == KNOWN else plan.sessions)
    return Asked([each.headers for each in signed_in]), "/api/session"


def _note(label: str, parts: dict[str, list[float]]) -> str:
    shown = ", ".join(f"{part} {taken:.0f}" for part, (taken,) in parts.items())
    return f"{label}, us of CPU: {shown}."
