"""The page with what was measured: docs/attacks.md, made from docs/attacks.json."""

import os
import platform
from collections.abc import Sequence
from typing import Final

from benchmarks.attacks.measure import PLACINGS
from benchmarks.attacks.rows import AT_MOST, Figures, Row
from tests.support.servers.server import ROOT

PAGE: Final = ROOT / "docs" / "attacks.md"
KEPT: Final = PAGE.with_suffix(".json")
TEXT: Final = """# What attacks of one address cost others

Written by `make attacks ARGS=--write`; do not change it by hand. `ARGS="--write 'F sign-ups'"`
measures one attack anew, and keeps the rows of the others ([attacks.json](attacks.json)).

One address attacks from a process of its own, on up to 100 connections or more. Somebody else, at
another address, asks for a session fifty times a second on one connection, and signs in four times
a second on a second one. Quiet and attack were measured by turns, each for the same time.

The aim: for the session requests, median and worst at most {at_most:g} times those of the same
run in quiet, and no answer but 200. Rows that fall **short** of it say so.

{summary}

- *Quiet* and *attacked* are the median and the worst latency of the session requests, in ms.
- *Ratio* is that of the medians, and that of the worst.
- *Computed* is the processor time, in ms, that the server's event loop needs until a session
  request is answered that came last, when all that the attacker could send is there: the server is
  stopped for 0.1 s before each request. It is the part that the program answers for; the rest of a
  ratio is the machine's, on which server, store, attacker and clients share {cores} cores.
- *Not 200* are the answers to both clients that were refused; 0 would be a connection that was cut.

Measured on {system}, Python {python}, one process of Curfew. Each row says the day.
"""
COLUMNS: Final = (
    *("attack", "quiet", "worst", "attacked", "worst", "ratio", "of worst", "of sign-ins"),
    *("computed", "attacked", "not 200", "measured", ""),
)


def page_of(rows: Sequence[Row]) -> str:
    """Return the page."""
    told = TEXT.format(
        at_most=AT_MOST,
        summary=_summary(rows),
        cores=os.cpu_count(),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
    )
    parts = [told]
    for placing, name in PLACINGS.items():
        lines = [_row(each) for each in rows if each.placing == placing]
        if lines:
            head = f"## {name[0].upper()}{name[1:]}\n"
            table = [_line(COLUMNS), _line(["---"] * len(COLUMNS)), *lines]
            parts.append("\n".join([head, *table]) + "\n")
    return "\n".join(parts)


def _summary(rows: Sequence[Row]) -> str:
    """Say how many rows reach the aim."""
    short = sum(each.is_short for each in rows)
    return f"Of {len(rows)} rows, {len(rows) - short} reach the aim and {short} fall short of it."


def _row(row: Row) -> str:
    quiet, attacked = row.quiet, row.attacked
    cells = [
        row.attack,
        *(f"{each:.1f}" for each in (quiet.median, quiet.worst, attacked.median, attacked.worst)),
        *(f"{each:.1f} ×" for each in (row.times, row.worst_times, row.sign_in_times)),
        *(f"{each:.1f}" for each in (quiet.computing, attacked.computing)),
        _refused(attacked, row.attacked_sign_ins),
        row.measured,
        "**short**" if row.is_short else "",
    ]
    return _line(cells)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _refused(*seen: Figures) -> str:
    told = [f"{count} × {status}" for each in seen for status, count in each.refused.items()]
    return ", ".join(told) or "–"
