"""The end of everything at once, beside a bare loop that only closes sockets."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks import programs
from benchmarks.crowd import Handshake, cut, last_close, open_sockets
from benchmarks.curfew import WATCHED, Curfew
from benchmarks.figures import Figure, Result, percentile, ratios
from benchmarks.limits import flaw_of_open_files
from benchmarks.load import request
from benchmarks.people import People
from benchmarks.plan import Plan
from benchmarks.probe import Probe
from benchmarks.rounds import in_turns
from benchmarks.running import NotMeasurable, Served, valkey

CURFEW: Final = "Curfew"
SOCKETS_EACH: Final = 5
AROUND: Final = 0.3
"""Seconds that the plot shows before and after."""
MOST: Final = 1.3
MOST_P99_MS: Final = 20.0
MOST_STALL_MS: Final = 30.0


@dataclass(frozen=True, slots=True)
class _Seen:
    """One round of one program: its seconds, and what a probe saw (when, how long)."""

    began: float
    ended: float
    probed: list[tuple[float, float]]

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    def meanwhile_ms(self, noted: list[tuple[float, float]]) -> list[float]:
        """Return what was noted between beginning and end."""
        return [1e3 * each for at, each in noted if self.began <= at + each and at <= self.ended]


def measure(plan: Plan, folder: Path) -> Result:
    """Measure the end of all sessions, with 5 sockets each."""
    if flaw := flaw_of_open_files(plan.crowd):
        raise NotMeasurable(flaw)
    server = Curfew(folder / "curfew", script=WATCHED)
    with ExitStack() as stack:
        store = stack.enter_context(valkey(folder / "store"))
        peer = stack.enter_context(programs.peer(programs.TORNADO_SOCKETS, store, folder))
        server.watch(stack.enter_context(server.running()))
        people = stack.enter_context(server.people())
        ways: list[Callable[[], Coroutine[Any, Any, _Seen]]] = [
            partial(_end_sessions, plan, server, people),
            partial(_close_sockets, plan, peer),
        ]
        curfew, bare = in_turns(plan, ways, lambda way: asyncio.run(way()))
    (noted,) = server.notes()
    late = [(at - by, by) for at, by in noted]
    return Result(_figures(plan, curfew, bare, late), _series(curfew, bare, late))


async def _end_sessions(plan: Plan, server: Curfew, people: People) -> _Seen:
    """End all sessions by one call, as `run.py sessions end --all` does."""
    signed_in = people.sign_in(plan.crowd // SOCKETS_EACH)
    sockets = await open_sockets(
        server.handshake(person) for person in signed_in for _ in range(SOCKETS_EACH)
    )
    with Probe(server.port) as probe:
        await asyncio.sleep(AROUND)
        people.begin_to_end_everything()
        ended = await last_close(sockets)
        began = people.ended_everything()
        await asyncio.sleep(AROUND)
    await cut(sockets)
    return _Seen(began, ended, probe.seen)


async def _close_sockets(plan: Plan, peer: Served) -> _Seen:
    """Close all sockets by one request, whose handler has nothing but a loop."""
    handshake = Handshake(peer.port, "/ws", b"ready")
    sockets = await open_sockets([handshake] * plan.crowd)
    _, writer = await asyncio.open_connection("127.0.0.1", peer.port)
    with Probe(peer.port, "/") as probe:
        await asyncio.sleep(AROUND)
        began = time.perf_counter()
        writer.write(request(peer.port, "/close", {}, method="POST", body="{}").encode())
        ended = await last_close(sockets)
        await asyncio.sleep(AROUND)
    writer.close()
    await cut(sockets)
    return _Seen(began, ended, probe.seen)


def _figures(
    plan: Plan, curfew: list[_Seen], bare: list[_Seen], late: list[tuple[float, float]]
) -> list[Figure]:
    what = f"ending {plan.crowd // SOCKETS_EACH:,} sessions with {SOCKETS_EACH} sockets each"
    ratio = ratios([each.seconds for each in curfew], [each.seconds for each in bare])
    p99 = [percentile(each.meanwhile_ms(each.probed) or [0.0], 99) for each in curfew]
    stalls = [max(each.meanwhile_ms(late), default=0.0) for each in curfew]
    return [
        Figure(what, f"≤ {MOST} × a bare loop that closes {plan.crowd:,} sockets", MOST, ratio),
        Figure(
            f"{what}: other requests meanwhile, p99",
            f"≤ {MOST_P99_MS:.0f} ms",
            MOST_P99_MS,
            p99,
            unit="ms",
        ),
        Figure(
            f"{what}: longest stall of the loop",
            f"none over {MOST_STALL_MS:.0f} ms",
            MOST_STALL_MS,
            stalls,
            unit="ms",
            by_worst=True,
        ),
    ]


def _series(
    curfew: list[_Seen], bare: list[_Seen], late: list[tuple[float, float]]
) -> dict[str, dict[str, list[float]]]:
    seen = sorted(curfew, key=lambda each: each.seconds)[len(curfew) // 2]
    shown = [
        (at + by - seen.began, by)
        for at, by in late
        if seen.began - AROUND <= at <= seen.ended + AROUND
    ]
    return {
        "mass end, s": {
            CURFEW: [each.seconds for each in curfew],
            "a bare loop": [each.seconds for each in bare],
        },
        "requests during a mass end, ms": {
            CURFEW: [ms for each in curfew for ms in each.meanwhile_ms(each.probed)],
            "a bare loop": [ms for each in bare for ms in each.meanwhile_ms(each.probed)],
        },
        "stall during a mass end": {
            "at, s": [at for at, _ in shown],
            "late by, ms": [1e3 * by for _, by in shown],
            "ended, s": [seen.seconds],
        },
    }
