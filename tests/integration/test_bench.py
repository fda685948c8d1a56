"""`make bench`: it starts programs, measures them, and writes. What it measures is not judged."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.figures import Figure, Result, percentile, ratios
from benchmarks.inside.profiled_run import part_of
from benchmarks.plan import SMOKE
from benchmarks.report.results import read_results, write_results
from benchmarks.report.svg import Axis
from benchmarks.report.table import markdown_table
from benchmarks.rounds import in_turns
from benchmarks.running import ROOT

AT_MOST_2 = Figure("x", "≤ 2", 2.0, [1.0, 1.5, 9.0])


def bench(folder: Path, *parts: str) -> str:
    """What a short run of the bench prints."""
    command = [sys.executable, "-m", "benchmarks", "--plan", "smoke", "--to", str(folder), *parts]
    ran = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240, env=os.environ
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_the_bench_starts_measures_and_writes(tmp_path: Path) -> None:
    printed = bench(tmp_path, "http", "mass-end")
    results = read_results(tmp_path)
    assert list(results) == ["http", "mass-end"]
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    for result in results.values():
        assert result.taken["plan"] == "smoke"
        for figure in result.figures:
            assert len(figure.samples) == 1
            assert figure.what in printed
            assert f"| {figure.what} | {figure.target} | " in page
    for plot in ("requests", "cpu", "stall"):
        assert (tmp_path / "images" / f"performance-{plot}.svg").is_file()
        assert f"(images/performance-{plot}.svg)" in page


def test_the_drain_is_run_and_nobody_is_lost() -> None:
    command = [sys.executable, "-m", "benchmarks.drain", "30", "1000"]
    ran = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120, env=os.environ
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for line in (
        "30 sockets came back in ",
        "close codes: {1012: 30}",
        "told to come later: 0; other refusals: {}",
        "lost again there, by close code: {}",
    ):
        assert line in ran.stdout


def test_a_part_is_measured_again_without_the_others(tmp_path: Path) -> None:
    old = {"store": Result([AT_MOST_2]), "idle": Result([AT_MOST_2])}
    write_results(tmp_path, old)
    bench(tmp_path, "store")
    new = read_results(tmp_path)
    assert list(new) == ["store", "idle"]
    assert new["idle"] == old["idle"]
    assert new["store"] != old["store"]


def test_a_row_is_met_by_its_median_or_by_its_worst_round() -> None:
    assert AT_MOST_2.verdict == "met"
    assert Figure("x", "≤ 2", 2.0, AT_MOST_2.samples, by_worst=True).verdict == "short"
    assert Figure("x", "≥ 2", 2.0, AT_MOST_2.samples, at_most=False).verdict == "short"
    assert Figure("x", "≥ 1", 1.5, AT_MOST_2.samples, at_most=False).verdict == "met"
    assert Figure("x", "≤ 2", 2.0, []).verdict == "not measured"


def test_a_row_that_falls_short_is_shown_as_short() -> None:
    table = markdown_table([Figure("x", "≤ 2 ms", 2.0, [3.0, 2.5, 4.0], unit="ms")])
    assert "| x | ≤ 2 ms | 3.00 ms | 3, 2.50 – 4.00 | **short** |" in table  # noqa: RUF001


def test_a_ratio_is_made_within_a_round() -> None:
    assert ratios([2.0, 20.0], [1.0, 5.0]) == [2.0, 4.0]
    assert percentile([float(each) for each in range(101)], 99) == 99.0


def test_rounds_alternate_and_another_program_begins_each() -> None:
    order: list[str] = []

    def measure(name: str) -> int:
        order.append(name)
        return len(order)

    samples = in_turns(replace(SMOKE, rounds=2), ["a", "b"], measure)
    assert order == ["b", "a", "a", "b", "b", "a"]
    assert samples == [[3, 6], [4, 5]], "the first round warms up"


def test_rounds_end_when_they_take_too_long() -> None:
    hasty = replace(SMOKE, rounds=7, longest_seconds=0)
    assert in_turns(hasty, ["a"], len) == [[1, 1, 1]]


@pytest.mark.parametrize(
    ("axis", "ticks"),
    [
        (Axis(0, 100, 0, 500), [0, 20, 40, 60, 80, 100]),
        (Axis(1, 1000, 0, 500, logarithmic=True), [1, 10, 100, 1000]),
    ],
)
def test_an_axis_has_round_numbers(axis: Axis, ticks: list[float]) -> None:
    assert [each for each in axis.ticks if each in ticks] == ticks
    assert axis.place(axis.low) == 0
    assert axis.place(axis.high) == 500


def test_a_sample_belongs_to_the_innermost_part_that_is_known() -> None:
    assert part_of(sys._getframe()) in {"the rest", "event loop"}
    assert part_of(None) == "the rest"
