"""Ten thousand idle sockets for five minutes."""

import asyncio
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks.crowd import cut, open_sockets
from benchmarks.curfew import WATCHED, Curfew
from benchmarks.figures import Figure, Result
from benchmarks.limits import flaw_of_open_files
from benchmarks.people import People
from benchmarks.plan import Plan
from benchmarks.processes import cpu_seconds
from benchmarks.running import NotMeasurable

SOCKETS_EACH: Final = 5
SETTLE: Final = 3.0
"""Seconds until the openings have been counted and written."""
MINUTE: Final = 60
NOTE: Final = (
    "Idle sockets: Curfew's pings go out every 25 s. Only after CPU time was measured, the loop "
    "begins to note every 5 ms how late it comes. A busy machine makes it late, too."
)
MOST_PERCENT: Final = 4.0
MOST_STALL_MS: Final = 30.0


def measure(plan: Plan, folder: Path) -> Result:
    """Measure what idle sockets cost, and how late the event loop ever comes."""
    if flaw := flaw_of_open_files(plan.many_sockets):
        raise NotMeasurable(flaw)
    server = Curfew(folder / "curfew", script=WATCHED)
    with ExitStack() as stack:
        pids = stack.enter_context(server.running())
        people = stack.enter_context(server.people())
        percent, since, until = asyncio.run(_stay(plan, server, people, pids))
    (noted,) = server.notes()
    late = [1e3 * by for at, by in noted if since <= at <= until]
    what = f"{plan.many_sockets:,} idle authenticated sockets"
    how_long = (
        f"in {plan.idle_seconds / MINUTE:.0f} minutes"
        if plan.idle_seconds >= MINUTE
        else "meanwhile"
    )
    return Result(
        [
            Figure(what, f"≤ {MOST_PERCENT:.0f} % of a core", MOST_PERCENT, [percent], unit="%"),
            Figure(
                f"{what}: longest stall of the loop",
                f"none over {MOST_STALL_MS:.0f} ms {how_long}",
                MOST_STALL_MS,
                [max(late, default=0.0)],
                unit="ms",
                by_worst=True,
            ),
        ],
        {"stall of the loop among idle sockets, ms": {"Curfew": sorted(late)[-100:]}},
        [NOTE],
    )


async def _stay(
    plan: Plan, server: Curfew, people: People, pids: list[int]
) -> tuple[float, float, float]:
    """Return the part of a core that was used, in percent, and since and until when it watched."""
    sockets = await open_sockets(
        server.handshake(person)
        for person in people.sign_in(plan.many_sockets // SOCKETS_EACH)
        for _ in range(SOCKETS_EACH)
    )
    await asyncio.sleep(min(SETTLE, plan.idle_seconds))
    began, before = time.perf_counter(), cpu_seconds(pids)
    await asyncio.sleep(plan.idle_seconds / 5)
    since, used = time.perf_counter(), cpu_seconds(pids) - before
    server.watch(pids)
    await asyncio.sleep(plan.idle_seconds)
    until = time.perf_counter()
    if any(each.closed_at for each in sockets):
        raise NotMeasurable("Some of the idle sockets were closed.")
    await cut(sockets)
    return 100 * used / (since - began), since, until
