"""Measures Curfew beside its peers, prints the table, and writes docs/performance.md.

python -m benchmarks [--plan full|quick|smoke] [--to FOLDER] [part ...]
"""

import argparse
import sys
import tempfile
import time
import traceback
from pathlib import Path

from benchmarks import limits, machine
from benchmarks.figures import Result
from benchmarks.parts import PARTS
from benchmarks.plan import PLANS, Plan
from benchmarks.report.page import write_page
from benchmarks.report.results import read_results, write_results
from benchmarks.report.table import text_table
from benchmarks.running import NotMeasurable


def main(words: list[str] | None = None) -> int:
    """Measure; return 0 if all parts could be measured, whatever they measured."""
    arguments = command_line().parse_args(words)
    plan, parts = PLANS[arguments.plan], arguments.parts or list(PARTS)
    limits.raise_open_files()
    failed, taken = [], machine.description(plan)
    for name in parts:
        began = time.perf_counter()
        print(f"{name}: {(PARTS[name].__doc__ or '').splitlines()[0]}", flush=True)
        result = measured(name, plan)
        if result is None:
            failed.append(name)
            continue
        result.taken.update(taken)
        print(text_table(result.figures), "", *result.notes, sep="\n")
        print(f"({name} took {time.perf_counter() - began:.0f} s)\n", flush=True)
        if arguments.to:
            keep(arguments.to, name, result)
    if failed:
        print(f"Not measured: {', '.join(failed)}; see above.", file=sys.stderr)
    return 1 if failed else 0


def command_line() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--plan", choices=PLANS, default="full", help="how much is measured")
    parser.add_argument("--to", type=Path, help="where results, page and plots are written")
    parser.add_argument("parts", nargs="*", metavar="part", type=_part, help="all if none is named")
    return parser


def measured(name: str, plan: Plan) -> Result | None:
    """Measure one part; print why, and return None, if it cannot be measured."""
    with tempfile.TemporaryDirectory(prefix="curfew-bench-") as folder:
        try:
            return PARTS[name](plan, Path(folder))
        except NotMeasurable as problem:
            print(problem, file=sys.stderr)
        except Exception:  # noqa: BLE001 the other parts are measured all the same
            traceback.print_exc()
    return None


def keep(folder: Path, name: str, result: Result) -> None:
    """Keep the result beside those of the other parts, and write the page anew."""
    results = {**read_results(folder), name: result}
    write_results(folder, {part: results[part] for part in PARTS if part in results})
    write_page(folder, read_results(folder))


def _part(name: str) -> str:
    if name not in PARTS:
        raise argparse.ArgumentTypeError(f"the parts are {', '.join(PARTS)}")
    return name


if __name__ == "__main__":
    sys.exit(main())
