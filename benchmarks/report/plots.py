"""The plots of docs/performance.md: which series each shows."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.figures import Result, Series
from benchmarks.parts.profile import PARTS
from benchmarks.report.charts import Lines, bars, distribution, lines, stacks

OURS: Final = "Curfew"


def write_plots(folder: Path, results: dict[str, Result]) -> list[tuple[str, str]]:
    """Write the plots of what was measured; return the file's name and the title of each."""
    folder.mkdir(parents=True, exist_ok=True)
    series: Series = {}
    for result in results.values():
        # Two parts measure requests per second; the first one shows the peers.
        series = {**result.series, **series}
    written = []
    for name, title, drawn in _plots(series):
        (folder / f"performance-{name}.svg").write_text(drawn, encoding="utf-8")
        written.append((f"performance-{name}.svg", title))
    return written


def _plots(series: Series) -> Iterator[tuple[str, str, str]]:
    """Yield name, title and content of each plot whose series were measured."""
    for name, key in (
        ("requests", "requests per second"),
        ("cpu", "CPU per request, us"),
        ("writes", "writes per second"),
    ):
        if key in series:
            title = f"{key[0].upper()}{key[1:]}"
            yield name, title, bars(title, series[key], OURS)
    if "logout to last close, ms" in series:
        about = Lines("From logout to the last close frame", "ms", "% of logouts", logarithmic=True)
        drawn = {
            name: distribution(each) for name, each in series["logout to last close, ms"].items()
        }
        yield "logout", about.title, lines(about, drawn)
    if "memory, KiB" in series:
        about = Lines("Memory for idle sockets", "sockets", "MiB more than without sockets")
        yield "memory", about.title, lines(about, _memory(series["memory, KiB"]))
    if "loading a session, us, by number of sessions" in series:
        about = Lines(
            "Loading a session", "sessions in the store", "us, median of a round", logarithmic=True
        )
        yield "sessions", about.title, lines(about, _loads(series))
    if "stall during a mass end" in series:
        shown = series["stall during a mass end"]
        about = Lines(
            "The event loop during the end of all sessions",
            f"seconds; the last socket is closed after {shown['ended, s'][0]:.2f}",
            "ms that the loop comes late",
            limit=30,
        )
        yield "stall", about.title, lines(about, {OURS: _lateness(shown)})
    if parts := {key: each for key, each in series.items() if key.startswith(PARTS)}:
        title = "Where a request's time goes"
        rows = {
            key.removeprefix(f"{PARTS}: "): {part: taken[0] for part, taken in each.items()}
            for key, each in parts.items()
        }
        yield "parts", title, stacks(title, rows, "us of CPU")


def _memory(series: dict[str, list[float]]) -> dict[str, list[tuple[float, float]]]:
    sockets = series["sockets"]
    return {
        name: [(x, (kib - taken[0]) / 1024) for x, kib in zip(sockets, taken, strict=True)]
        for name, taken in series.items()
        if name != "sockets"
    }


def _loads(series: Series) -> dict[str, list[tuple[float, float]]]:
    loads = series["loading a session, us, by number of sessions"]
    return {OURS: [(float(count), median(taken)) for count, taken in loads.items()]}


def _lateness(shown: dict[str, list[float]]) -> list[tuple[float, float]]:
    """Return how late the loop is at each moment: it grows until the loop comes."""
    late = zip(shown["at, s"], shown["late by, ms"], strict=True)
    return [point for at, ms in late for point in ((at - ms / 1e3, 0.0), (at, ms), (at, 0.0))]
