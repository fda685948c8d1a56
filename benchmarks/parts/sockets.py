"""What idle sockets cost in memory, and how fast they open."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import programs
from benchmarks.crowd import Handshake, Socket, cut, open_sockets
from benchmarks.curfew import Curfew
from benchmarks.figures import Figure, Result, ratios
from benchmarks.limits import flaw_of_open_files
from benchmarks.plan import Plan
from benchmarks.processes import cpu_seconds, resident_bytes
from benchmarks.rounds import in_turns
from benchmarks.running import NotMeasurable, valkey

CURFEW: Final = "Curfew"
SOCKETS_EACH: Final = 5
STEPS: Final = 5
"""Points of the plot beside the first."""
SETTLE: Final = 0.3
"""Seconds until what the handshakes left behind is gone."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """One round of one program.

    Attributes:
        kib: memory of the process at each step, from no socket to all.
        per_second: openings.
        cpu_us: CPU time of the process for each opening.
    """

    kib: list[float]
    per_second: float
    cpu_us: float

    @property
    def kib_each(self) -> float:
        """Memory for one more socket."""
        return self.kib[-1] - self.kib[0]


def measure(plan: Plan, folder: Path) -> Result:
    """Measure memory for each idle socket, and openings per second."""
    if flaw := flaw_of_open_files(plan.crowd):
        raise NotMeasurable(flaw)
    names = [CURFEW, programs.TORNADO_SOCKETS, programs.TORNADO_SESSION_SOCKETS]
    curfew = Curfew(folder / "curfew")
    with valkey(folder / "store") as store:
        handshakes = _sign_in(curfew, plan)
        taken = in_turns(
            plan,
            names,
            lambda name: (
                _curfew(curfew, handshakes) if name == CURFEW else _peer(name, plan, store, folder)
            ),
            warm_up=False,
        )
    seen = dict(zip(names, taken, strict=True))
    count = plan.crowd
    steps = [count * step / STEPS for step in range(STEPS + 1)]
    return Result(
        _figures(seen, count),
        {
            "memory, KiB": {
                "sockets": steps,
                **{name: _middle(rounds).kib for name, rounds in seen.items()},
            },
            "memory for each socket, KiB": {
                name: [each.kib_each / count for each in rounds] for name, rounds in seen.items()
            },
            "openings per second": {
                name: [each.per_second for each in rounds] for name, rounds in seen.items()
            },
            "CPU per opening, us": {
                name: [each.cpu_us for each in rounds] for name, rounds in seen.items()
            },
        },
    )


def _sign_in(server: Curfew, plan: Plan) -> list[Handshake]:
    """Create the sessions once; they outlive the server."""
    with server.running(), server.people() as people:
        signed_in = people.sign_in(plan.crowd // SOCKETS_EACH)
        return [server.handshake(each) for each in signed_in for _ in range(SOCKETS_EACH)]


def _curfew(server: Curfew, handshakes: list[Handshake]) -> _Seen:
    with server.running() as pids:
        return asyncio.run(_open(handshakes, pids))


def _peer(name: str, plan: Plan, store: int, folder: Path) -> _Seen:
    with programs.peer(name, store, folder) as started:
        peer = programs.signed_in(started)
        handshake = Handshake(peer.port, "/ws", b"ready", peer.headers)
        return asyncio.run(_open([handshake] * plan.crowd, list(peer.pids)))


async def _open(handshakes: list[Handshake], pids: list[int]) -> _Seen:
    # What the first ones load stays: it is not counted for each.
    sockets: list[Socket] = await open_sockets(handshakes[: SOCKETS_EACH * 2])
    await cut(sockets)
    await asyncio.sleep(SETTLE)
    kib, seconds, used = [resident_bytes(pids) / 1024], 0.0, 0.0
    sockets, step = [], len(handshakes) // STEPS
    for first in range(0, len(handshakes), step):
        began, before = time.perf_counter(), cpu_seconds(pids)
        sockets += await open_sockets(handshakes[first : first + step])
        seconds += time.perf_counter() - began
        used += cpu_seconds(pids) - before
        await asyncio.sleep(SETTLE)
        kib.append(resident_bytes(pids) / 1024)
    await cut(sockets)
    return _Seen(kib, len(sockets) / seconds, used / len(sockets) * 1e6)


def _figures(seen: dict[str, list[_Seen]], count: int) -> list[Figure]:
    curfew = seen[CURFEW]
    memory = ratios(
        [each.kib_each for each in curfew],
        [max(1.0, each.kib_each) for each in seen[programs.TORNADO_SOCKETS]],
    )
    opening = ratios(
        [each.per_second for each in curfew],
        [each.per_second for each in seen[programs.TORNADO_SESSION_SOCKETS]],
    )
    return [
        Figure(
            f"memory per idle authenticated socket, at {count:,}",
            f"≤ 1.0 × {programs.TORNADO_SOCKETS}",
            1.0,
            memory,
        ),
        Figure(
            "opening sockets",
            f"per second ≥ 1.0 × {programs.TORNADO_SESSION_SOCKETS}",
            1.0,
            opening,
            at_most=False,
        ),
    ]


def _middle(rounds: list[_Seen]) -> _Seen:
    return sorted(rounds, key=lambda each: each.kib_each)[len(rounds) // 2]
