"""The page with what was measured: docs/attacks.md."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Final

from benchmarks.attacks.measure import PLACINGS, Plan, Result, ratio
from benchmarks.attacks.others import Seen
from tests.support.servers.server import ROOT

PAGE: Final = ROOT / "docs" / "attacks.md"
TEXT: Final = """# What attacks of one address cost others

Written by `make attacks ARGS=--write`; do not change it by hand. One address attacks from a
process of its own. Somebody else, at another address, asks for a session fifty times a second on
one connection, and a third person signs in four times a second. Each attack was measured in
{rounds} rounds of {seconds:g} s, by turns with as much quiet; figures are of all rounds together.
The aim: at most three times the quiet median, and no answer but 200.

Measured on {date}: {cores} cores, {system}, Python {python}, one process of Curfew, with the
store and the attacker on the same machine. Other programs ran there at the same time, which is
what the latencies in quiet show.

- *Quiet* and *attacked* are the median and the worst latency of the session requests, in ms.
- *Ratio* is that of the medians.
- *Computed* is the processor time that the server's event loop needs until a session request is
  answered that came last, when all that the attacker could send is there: the server is stopped
  for 0.1 s before each request. It is the part that the program answers for, whoever else uses
  the machine.
- *Not 200* are the answers to both other people that were refused; 0 would be a connection that
  was cut.
"""
COLUMNS: Final = (
    *("attack", "quiet", "worst", "attacked", "worst", "ratio", "of sign-ins"),
    *("computed", "attacked", "not 200"),
)


def page_of(results: Sequence[Result], plan: Plan) -> str:
    """Return the page."""
    told = TEXT.format(
        rounds=plan.rounds,
        seconds=plan.seconds,
        date=datetime.now(UTC).date().isoformat(),
        cores=os.cpu_count(),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
    )
    parts = [told]
    for placing, name in PLACINGS.items():
        rows = [_row(each) for each in results if each.placing == placing]
        parts.append(
            "\n".join(
                [
                    f"## {name[0].upper()}{name[1:]}\n",
                    _line(COLUMNS),
                    _line(["---"] * len(COLUMNS)),
                    *rows,
                ]
            )
            + "\n"
        )
    return "\n".join(parts)


def _row(result: Result) -> str:
    before, during = result.quiet, result.attacked
    sign_ins = result.quiet_sign_ins, result.attacked_sign_ins
    cells = [
        result.name,
        *(_ms(each) for each in (before.median, before.worst, during.median, during.worst)),
        _times(ratio(during.latencies, before.latencies)),
        _times(ratio(sign_ins[1].latencies, sign_ins[0].latencies)),
        _ms(median(before.computing)),
        _ms(median(during.computing)),
        _refused(during, sign_ins[1]),
    ]
    return _line(cells)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:.1f}"


def _times(times: float) -> str:
    return f"{times:.1f} ×"


def _refused(*seen: Seen) -> str:
    counts = {status: each.refused[status] for each in seen for status in each.refused}
    return ", ".join(f"{count} × {status}" for status, count in counts.items()) or "–"
