"""Compute what fleets cost, and where their first wall is.

python -m benchmarks.capacity                writes the tables and the plot of docs/capacity.md
python -m benchmarks.capacity --measure      measures the unit costs first, in some ten minutes
python -m benchmarks.capacity --fleet nodes=8,sessions=2e6,sockets=2e5,requests=4000,ends=50
"""

import argparse
import json
import re
import sys
import tempfile
from dataclasses import fields, replace
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks import machine
from benchmarks.capacity.measure import measure
from benchmarks.capacity.model import Fleet, load_of
from benchmarks.capacity.page import tables, walls_plot
from benchmarks.capacity.units import Units
from benchmarks.plan import PLANS
from benchmarks.running import ROOT

RESULTS: Final = ROOT / "docs" / "capacity.json"
COMMANDS: Final = ROOT / "docs" / "capacity-fleet.json"
"""What `make fleet ARGS=--measure` has measured."""
PAGE: Final = ROOT / "docs" / "capacity.md"
PLOT: Final = ROOT / "docs" / "images" / "capacity-walls.svg"
MADE: Final = re.compile(
    r"(?<=<!-- made by `python -m benchmarks.capacity` -->\n).*?(?=<!-- until here -->)", re.DOTALL
)
ROUNDS: Final = 3


def main(words: list[str] | None = None) -> int:
    """Do it."""
    arguments = command_line().parse_args(words)
    if arguments.measure:
        with tempfile.TemporaryDirectory(prefix="curfew-bench-") as folder:
            measured = measure(Path(folder), arguments.rounds, lambda told: print(told, flush=True))
        taken = {**measured, "taken": machine.description(PLANS["full"])}
        taken["units"].update(units_of_the_benchmark())
        RESULTS.write_text(json.dumps(taken, indent=1) + "\n", encoding="utf-8")
    units = Units.read(RESULTS)
    if arguments.fleet is not None:
        load = load_of(arguments.fleet, units)
        print(f"{load}\nfirst wall: {load.wall}; {'it fits' if load.fits else 'it does not fit'}")
        return 0
    write(units, json.loads(RESULTS.read_text(encoding="utf-8")))
    return 0


def write(units: Units, taken: dict[str, Any]) -> None:
    """Write the plot, and the tables of the page."""
    PLOT.write_text(walls_plot(units), encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(MADE.sub(lambda _: f"\n{tables(units, taken)}\n", page), encoding="utf-8")


def units_of_the_benchmark() -> dict[str, float]:
    """Return what `make bench` has measured already, while nothing else ran."""
    results = json.loads((ROOT / "docs" / "performance.json").read_text(encoding="utf-8"))
    store = next(each for each in results["store"]["figures"] if each["unit"] == "bytes")
    return {
        "request_node": median(results["http"]["series"]["CPU per request, us"]["Curfew"]),
        "socket_bytes": 1024
        * median(results["sockets"]["series"]["memory for each socket, KiB"]["Curfew"]),
        "session_bytes": median(store["samples"]),
        "entry_store": json.loads(COMMANDS.read_text(encoding="utf-8"))["costs"]["entry"],
    }


def fleet(text: str) -> Fleet:
    """Return the fleet that was typed.

    Raises:
        ValueError: it has other parts.
    """
    given = dict(part.split("=") for part in text.split(","))
    known = {each.name: each.type for each in fields(Fleet)}
    if given.keys() - known.keys():
        raise ValueError(text)
    empty = Fleet(nodes=1, sessions=0, sockets=0, requests=0.0, ends=0.0)
    whole = {"nodes", "sessions", "sockets", "shards"}
    typed = {name: float(value) for name, value in given.items()}
    return replace(empty, **{n: int(v) if n in whole else v for n, v in typed.items()})  # type: ignore[arg-type]  # each as its field


def command_line() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capacity", description=__doc__)
    parser.add_argument("--measure", action="store_true", help="measure the unit costs first")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of the measurement")
    parser.add_argument("--fleet", type=fleet, help="print what this fleet costs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
