"""Simulate a fleet of 100 nodes, 1,000,000 sockets and 10,000,000 sessions, and say what it does.

python -m benchmarks.capacity.fleet               prints the figures, after some minutes
python -m benchmarks.capacity.fleet --write       writes them to docs/capacity.md, too
python -m benchmarks.capacity.fleet --measure     measures first what commands cost the store
"""

import argparse
import json
import logging
import re
import sys
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict
from typing import Final

from benchmarks.capacity.commands import measure_commands
from benchmarks.capacity.page import table
from benchmarks.running import ROOT
from server.core.receipt import State
from tests.simulation.fleet import Size, without_pace
from tests.simulation.fleet_figures import Figures, Loss, run_ends, run_loss
from tests.simulation.fleet_store import Costs

RESULTS: Final = ROOT / "docs" / "capacity-fleet.json"
PAGE: Final = ROOT / "docs" / "capacity.md"
MADE: Final = re.compile(
    r"(?<=<!-- made by `make fleet ARGS=--write` -->\n).*?(?=<!-- until here -->)", re.DOTALL
)
FLEET: Final = Size(nodes=100, sockets=1_000_000, sessions=10_000_000)
BEFORE: Final = Size(nodes=100, sockets=1_000_000, sessions=10_000_000, earlier=True)
RATES: Final = (1.0, 10.0, 100.0, 200.0)
RATES_BEFORE: Final = (10.0, 100.0)
SIZE: Final = (
    f"{FLEET.nodes} nodes, {FLEET.sockets:,} sockets, {FLEET.sessions:,} sessions, one store; "
    "what happens in a second:"
)
LOST: Final = 0.33
"""Of the nodes: a region of three."""
ENDS_MEANWHILE: Final = 20.0
LOOKED_AT: Final = 9.0
SECONDS: Final = 3.0


def main(words: list[str] | None = None) -> int:
    """Do it."""
    arguments = command_line().parse_args(words)
    if arguments.measure:
        measured = {"costs": asdict(measure_commands())}
        RESULTS.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    costs = Costs(**json.loads(RESULTS.read_text(encoding="utf-8"))["costs"])
    text = tables(costs, *simulated(costs))
    print(text)
    if arguments.write:
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(MADE.sub(lambda _: f"\n{text}\n\n", page), encoding="utf-8")
    return 0


def simulated(costs: Costs) -> tuple[dict[str, Figures], dict[str, Loss]]:
    """Run all fleets, as many at once as there are cores."""
    with ProcessPoolExecutor(initializer=logging.disable) as pool:
        loss = LOST, ENDS_MEANWHILE, LOOKED_AT
        losses = {
            "before": pool.submit(run_loss, BEFORE, costs, *loss, without_pace),
            "now": pool.submit(run_loss, FLEET, costs, *loss),
        }
        ends: dict[str, Future[Figures]] = {
            f"{rate:.0f}, before": pool.submit(run_ends, BEFORE, costs, rate, SECONDS, without_pace)
            for rate in RATES_BEFORE
        }
        ends |= {
            f"{rate:.0f}": pool.submit(run_ends, FLEET, costs, rate, SECONDS) for rate in RATES
        }
        found = {name: each.result() for name, each in ends.items()}
        return found, {name: each.result() for name, each in losses.items()}


def tables(costs: Costs, ends: dict[str, Figures], losses: dict[str, Loss]) -> str:
    """Return what is written to the page."""
    return "\n\n".join((
        "What commands cost the store's core, in microseconds:",
        _costs(costs),
        SIZE,
        _ends(ends),
        f"A third of the nodes is lost, while {ENDS_MEANWHILE:.0f} sessions a second are ended:",
        _losses(losses),
    ))  # fmt: skip


def _costs(costs: Costs) -> str:
    heads = ("a read that finds something", "each further entry", "an acknowledgement",
             "a renewal of a lease", "an end", "a load, of many together",
             "a number of sockets")  # fmt: skip
    return table(heads, [[f"{each:.1f}" for each in asdict(costs).values()]])


def _ends(ends: dict[str, Figures]) -> str:
    heads = ("ends", "stream", "acknowledgements", "reads", "entries read", "leases",
             "the store's core", "complete", "receipt, median", "of a hundred, the slowest",
             "wrong receipts")  # fmt: skip
    rows = [
        (
            name, f"{each.ends:,.0f}", f"{each.acknowledgements:,.0f}", f"{each.reads:,.0f}",
            f"{each.entries:,.0f}", f"{each.renewals:,.0f}", f"{each.store:.0%}",
            f"{each.complete:.0%}", f"{each.median:.0f} ms", f"{each.slowest:.0f} ms",
            str(each.lies),
        )
        for name, each in ends.items()
    ]  # fmt: skip
    return table(heads, rows)


def _losses(losses: dict[str, Loss]) -> str:
    heads = ("", "sockets", "all are back after", "a command waits, at most",
             "nodes that can serve, at worst", "comparisons of all sessions of a node",
             "receipts: complete, bounded, pending", "ends that failed",
             "wrong receipts")  # fmt: skip
    rows = [
        (
            name, f"{each.sockets:,}", f"{each.back:.1f} s", f"{1000 * each.behind:.0f} ms",
            str(each.fewest), str(each.skipped),
            ", ".join(str(each.states[state]) for state in State), str(each.failed),
            str(each.lies),
        )
        for name, each in losses.items()
    ]  # fmt: skip
    return table(heads, rows)


def command_line() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.capacity.fleet", description=__doc__
    )
    parser.add_argument("--measure", action="store_true", help="measure the commands first")
    parser.add_argument("--write", action="store_true", help="write docs/capacity.md")
    return parser


if __name__ == "__main__":
    sys.exit(main())
