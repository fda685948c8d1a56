"""Writes docs/performance.md from what was measured."""

from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.figures import Result
from benchmarks.report.plots import write_plots
from benchmarks.report.table import markdown_table, number

PEERS: Final = "peers"
INTRODUCTION: Final = """\
# Performance

`make bench` measured and wrote this page. It measures Curfew beside other programs that do the same
work, each as its own documentation shows it, on the same machine and in the same minutes: in every
round each program has its turn, and ratios are made within a round. The verdict is about the median
of all rounds, and for stalls about the worst. A row that falls short of its target is shown as
short. On a busy machine a part may end with fewer rounds than seven.
"""

HOW: Final = """\
## Measure it yourself

```sh
make bench                # everything, in less than 25 minutes; writes this page
make bench ARGS="http"    # one part; the others stay as they are on this page
make bench-quick          # everything in two minutes, only printed: too short to judge by
```

The parts are `http`, `writes`, `processes`, `alone`, `ends`, `mass-end`, `sockets`, `store`,
`profile` and `idle`. The first call installs the peers, in the versions that
`benchmarks/requirements.txt` and `benchmarks/peers/package-lock.json` pin, and `wrk`. Let nothing
else run meanwhile.

- Curfew runs as `run.py` runs it, in one process unless the row says two, with its default settings
  and its embedded store, which has each write on the disk before it answers. Its access log goes to
  a file. The peers log nothing, and their store, the same Valkey, writes nothing to the disk.
- CPU time is what the system counts for the program's own processes, the store not included,
  divided by the requests of the round. It says more than requests per second where the load
  generator and the program share few cores.
- Load comes from `wrk -t1 -c32`. Sockets are opened by a client of our own, which does nothing but
  note when a close frame comes in.
- Sessions are created by Curfew's services in a process beside the server, because thousands of
  sign-ins would take minutes for their password hashes.
- Stalls are noted by the event loop itself, which should come every 5 ms. That is the only thing
  that is added, and only where stalls are measured.
- The parts of a request are samples: every few milliseconds of CPU time, the server notes which of
  its functions is running.

The programs are in [benchmarks/peers](../benchmarks/peers), the parts in
[benchmarks/parts](../benchmarks/parts).
"""


def write_page(folder: Path, results: dict[str, Result]) -> None:
    """Write the page and its plots into a folder."""
    plots = write_plots(folder / "images", results)
    parts = [INTRODUCTION, _warning(results), _table(results), "## Plots\n"]
    parts += [f"![{title}.](images/{file})\n" for file, title in plots]
    parts += [_programs(results), _notes(results), _taken(results), HOW]
    (folder / "performance.md").write_text("\n".join(filter(None, parts)), encoding="utf-8")


def _warning(results: dict[str, Result]) -> str:
    short = [part for part, each in results.items() if each.taken.get("plan") != "full"]
    if not short:
        return ""
    return f"**Too few rounds to judge by**, until `make bench` runs again: {', '.join(short)}.\n"


def _table(results: dict[str, Result]) -> str:
    return markdown_table([figure for each in results.values() for figure in each.figures]) + "\n"


def _programs(results: dict[str, Result]) -> str:
    """Return the table of all programs that answer requests."""
    if "http" not in results:
        return ""
    series = results["http"].series
    lines = ["## Authenticated GET, by program\n"]
    lines += [
        "| program | requests/s | from – to | CPU us/request | from – to |",
        "|---|---|---|---|---|",
    ]
    for name, speed in series["requests per second"].items():
        cells = [
            f"{number(median(taken))} | {number(min(taken))} – {number(max(taken))}"
            for taken in (speed, series["CPU per request, us"][name])
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _notes(results: dict[str, Result]) -> str:
    notes = [f"- {note}" for each in results.values() for note in each.notes]
    return "\n".join(["## Notes\n", *notes]) + "\n" if notes else ""


def _taken(results: dict[str, Result]) -> str:
    """Return when and where each part was measured."""
    parts: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for part, each in results.items():
        parts.setdefault(tuple(each.taken.items()), []).append(part)
    lines = ["## Machine and versions\n"]
    for taken, names in parts.items():
        facts = ", ".join(f"{name} {value}" for name, value in taken if name != PEERS)
        peers = dict(taken).get(PEERS, "")
        lines.append(f"- {', '.join(names)}: {facts}. The peers run with {peers}.")
    return "\n".join(lines) + "\n"
