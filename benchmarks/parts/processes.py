"""Two processes beside one."""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks.curfew import Curfew
from benchmarks.figures import Figure, Result, ratios
from benchmarks.load import Asked, ask, costs, speeds
from benchmarks.plan import Plan
from benchmarks.rounds import in_turns
from benchmarks.running import Served

WHAT: Final = "two processes, authenticated GET"
CORES_THAT_ALLOW: Final = 4
"""Two for the processes; the store and the load generator need the others."""
LEAST: Final = 1.6
MOST: Final = 1.1


def measure(plan: Plan, folder: Path) -> Result:
    """Measure one process and two."""
    with ExitStack() as stack:
        entries = [_curfew(folder, count, stack) for count in (1, 2)]
        one, two = in_turns(plan, entries, lambda entry: ask(*entry, plan.seconds))
    speed, cpu = ratios(speeds(two), speeds(one)), ratios(costs(two), costs(one))
    return Result(
        [_figure(speed, cpu)],
        {"requests per second": {"Curfew, one process": speeds(one), "Curfew, two": speeds(two)}},
        [_note()],
    )


def _curfew(folder: Path, processes: int, stack: ExitStack) -> tuple[Served, Asked]:
    server = Curfew(folder / f"curfew{processes}", processes=str(processes))
    pids = stack.enter_context(server.running())
    person = stack.enter_context(server.people()).sign_in(1)[0]
    return server.served(pids), Asked([person.headers])


def _figure(speed: list[float], cpu: list[float]) -> Figure:
    if (os.cpu_count() or 1) >= CORES_THAT_ALLOW:
        return Figure(WHAT, f"req/s ≥ {LEAST} × one process", LEAST, speed, at_most=False)
    return Figure(WHAT, f"CPU per request ≤ {MOST} × one process", MOST, cpu)


def _note() -> str:
    return (
        f"Two processes, the store and the load generator need {CORES_THAT_ALLOW} cores; this "
        f"machine has {os.cpu_count()}. With fewer, CPU per request is compared."
    )
