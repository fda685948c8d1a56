"""The tables and the plot of docs/capacity.md."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Any, Final

from benchmarks.capacity.model import CORE, USABLE, Fleet, load_of, most_ends, most_nodes
from benchmarks.capacity.units import Units
from benchmarks.report.charts import Lines, lines

FLEETS: Final = {
    "one process": Fleet(1, 10_000, 2_000, 200, 1),
    "one machine": Fleet(8, 500_000, 80_000, 4_000, 20),
    "64 processes": Fleet(64, 3_000_000, 600_000, 20_000, 100),
    "100 nodes": Fleet(100, 10_000_000, 1_000_000, 20_000, 100),
    "100 nodes, 16 shards": Fleet(100, 10_000_000, 1_000_000, 20_000, 100, shards=16),
}
"""The last two are the size that issue 14 asks about."""
NODES: Final = (1, 2, 4, 8, 16, 32, 64, 100, 150, 200)
IN_MS: Final = ("idle_node", "idle_store", "end_node", "end_store")
COSTS: Final = (
    ("a second of an idle process: lease, reads of the streams", "idle_node", "idle_store"),
    ("an authenticated request", "request_node", "request_store"),
    ("a logout, on the node that is asked", "end_node", "end_store"),
    ("the same end, on each node that hears of it", "heard_node", "heard_store"),
    ("a second of an idle socket", "socket_node", ""),
)


def tables(units: Units, taken: dict[str, Any]) -> str:
    """Return the made part of the page."""
    about = taken["taken"]
    parts = [
        f"Measured on {about['date']}: {about['machine']}, Python {about['Python']}.",
        _costs(units),
        "What was measured, medians of the rounds, in ms of CPU:",
        _rounds(taken["rounds"]),
        "What fleets cost:",
        _fleets(units),
        "How many ends a second a fleet bears besides:",
        _ends(units),
        _alone(units),
    ]
    return "\n\n".join(parts) + "\n"


def walls_plot(units: Units) -> str:
    """Return the plot of how many ends a second fleets bear."""
    about = Lines(
        "Ends a second until a core is full",
        "processes; 200 requests a second and 10,000 sockets on each",
        "ends a second",
        logarithmic=True,
    )
    drawn = {
        f"{shards} shard{'s' if shards > 1 else ''}": [
            (float(nodes), most_ends(_grown(nodes, shards), units)[0]) for nodes in NODES
        ]
        for shards in (1, 4, 16)
    }
    return lines(about, drawn)


def _grown(nodes: int, shards: int) -> Fleet:
    return Fleet(nodes, 100_000 * nodes, 10_000 * nodes, 200.0 * nodes, 0.0, shards)


def _costs(units: Units) -> str:
    told = units.as_dict()
    rows = [
        (what, _us(told[node]), _us(told[store]) if store else "–") for what, node, store in COSTS
    ]
    memory = (
        f"A socket takes {units.socket_bytes / 1024:.1f} KiB of its node, and a session "
        f"{units.session_bytes:.0f} bytes of the store, with its index entry."
    )
    return table(("unit", "CPU of the node", "CPU of the store"), rows) + f"\n\n{memory}"


def _us(microseconds: float) -> str:
    return f"{microseconds:,.0f} us" if microseconds >= 10 else f"{microseconds:.2g} us"  # noqa: PLR2004


def _rounds(rounds: Sequence[dict[str, float]]) -> str:
    heads = ("processes", "idle, all nodes, a second", "idle, store, a second", "an end, all nodes",
             "an end, store", "logout, wall")  # fmt: skip
    rows = []
    for nodes in sorted({each["nodes"] for each in rounds}):
        same = [each for each in rounds if each["nodes"] == nodes]
        middle = {key: median(each[key] for each in same) for key in same[0]}
        rows.append((
            f"{nodes:.0f}",
            *(f"{middle[key] / 1000:.2f}" for key in IN_MS),
            f"{middle['end_ms']:.1f} ms",
        ))  # fmt: skip
    return table(heads, rows)


def _fleets(units: Units) -> str:
    heads = ("fleet", "sessions", "sockets", "requests/s", "ends/s", "a node's core",
             "a store's core: leases, requests, ends", "a node's sockets", "a store's sessions",
             "acknowledgements/s", "first wall")  # fmt: skip
    rows = []
    for name, fleet in FLEETS.items():
        load = load_of(fleet, units)
        rows.append((
            name, f"{fleet.sessions:,}", f"{fleet.sockets:,}", f"{fleet.requests:,.0f}",
            f"{fleet.ends:,.0f}", f"{load.node:.0%}",
            f"{load.store:.0%} = {_parts_of_store(fleet, units)}",
            f"{load.node_gib:.1f} GiB", f"{load.store_gib:.1f} GiB",
            f"{load.acknowledgements:,.0f}",
            load.wall if load.fits else f"**{load.wall}**, it does not fit",
        ))  # fmt: skip
    return table(heads, rows)


def _alone(units: Units) -> str:
    core = USABLE * CORE
    requests = core / units.request_store
    alone = replace(units, idle_store=0.0, idle_node=0.0, end_node=0.0, heard_node=0.0)
    ends = {n: most_ends(Fleet(n, 0, 0, 0.0, 0.0), alone)[0] for n in (1, 16, 100)}
    return (
        f"One of these alone fills a store's core: the leases and reads of {most_nodes(units):,} "
        f"idle processes; {requests:,.0f} requests a second; {ends[1]:,.0f} ends a second with one "
        f"process, {ends[16]:,.0f} with 16, {ends[100]:,.0f} with 100."
    )


def _parts_of_store(fleet: Fleet, units: Units) -> str:
    """Say what fills a store's core: leases, requests and ends, in percent."""
    leases = load_of(replace(fleet, requests=0.0, ends=0.0), units).store
    requests = load_of(replace(fleet, ends=0.0), units).store - leases
    ends = load_of(fleet, units).store - leases - requests
    return " + ".join(f"{each:.0%}" for each in (leases, requests, ends))


def _ends(units: Units) -> str:
    heads = ("fleet", "ends a second", "what is full then", "with half the cost of hearing")
    half = replace(units, heard_node=units.heard_node / 2, heard_store=units.heard_store / 2)
    rows = [
        (
            name,
            f"{most_ends(fleet, units)[0]:,.0f}",
            most_ends(fleet, units)[1],
            f"{most_ends(fleet, half)[0]:,.0f}",
        )
        for name, fleet in FLEETS.items()
    ]
    return table(heads, rows) + f"\n\nFull means {USABLE:.0%} of a core."


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as Markdown."""
    lines_ = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines_)
