"""Measures the attacks, one after the other: quiet and attack by turns."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import Final

import httpx

from benchmarks.attacks.computing import LoopClock
from benchmarks.attacks.others import SOMEBODY_NEW, Seen, held_up, others
from benchmarks.attacks.over_http import HTTP_ATTACKS
from benchmarks.attacks.over_sockets import SOCKET_ATTACKS, TLS_ATTACKS
from benchmarks.attacks.repeating import Attack
from benchmarks.attacks.rows import Figures, Row, today
from benchmarks.attacks.wire import Target
from tests.support.clients.client import Client
from tests.support.servers.server import ROOT, CurfewServer
from tests.support.servers.tls import TlsServer
from tests.support.servers.workers import workers_of

HELD_TIMES: Final = 10
WARM_UP: Final = 1.0
"""Seconds of attack before anything is measured."""
COOL_DOWN: Final = 0.5
SHARED: Final = "shared"
APART: Final = "apart"
LEAST_NICE: Final = 19
PLACINGS: Final = {SHARED: "all cores for all", APART: "a core for the server, one for the rest"}


async def _nothing(_: Target) -> None:
    await asyncio.sleep(60)


ATTACKS: Final[dict[str, Attack]] = {
    "quiet (nobody attacks)": _nothing,
    **HTTP_ATTACKS,
    **SOCKET_ATTACKS,
    **TLS_ATTACKS,
}


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        rounds: of each attack.
        seconds: of each round in quiet, and of each under attack.
    """

    rounds: int = 2
    seconds: float = 3.0


@dataclass
class Result:
    """What was seen of one attack.

    Attributes:
        name: of the attack.
        placing: who had which cores.
        quiet: the session requests in quiet.
        attacked: the session requests meanwhile.
        quiet_sign_ins: the sign-ins in quiet.
        attacked_sign_ins: the sign-ins meanwhile.
    """

    name: str
    placing: str
    quiet: Seen = field(default_factory=Seen)
    attacked: Seen = field(default_factory=Seen)
    quiet_sign_ins: Seen = field(default_factory=Seen)
    attacked_sign_ins: Seen = field(default_factory=Seen)

    def row(self, plan: Plan) -> Row:
        """Return the figures of all rounds together."""
        seen = self.quiet, self.attacked, self.quiet_sign_ins, self.attacked_sign_ins
        figures = [Figures.of(each) for each in seen]
        return Row(self.name, self.placing, today(), plan.rounds, plan.seconds, *figures)


def tell(row: Row) -> None:
    """Print the figures of an attack."""
    for name, before, during, ratios in (
        (
            f"{row.attack} ({row.placing})",
            row.quiet,
            row.attacked,
            (row.times, row.worst_times, row.computing_times),
        ),
        ("    sign-ins", row.quiet_sign_ins, row.attacked_sign_ins, (row.sign_in_times,)),
    ):
        told = " ".join(f"{each:5.1f}x" for each in ratios)
        print(f"{name:46} {_told(before)} | {_told(during)} | {told}", flush=True)


def _told(seen: Figures) -> str:
    times = " ".join(f"{each:7.1f}" for each in (seen.median, seen.worst, seen.computing))
    return f"{times}  {seen.refused or ''}"


async def attack_by_name(name: str, told: str) -> None:
    """Attack until killed.

    Args:
        name: of the attack.
        told: the target, as JSON.
    """
    print("begins", flush=True)
    await ATTACKS[name](Target(**json.loads(told)))


async def measure_all(
    names: Sequence[str], plan: Plan, placings: Sequence[str] = tuple(PLACINGS)
) -> list[Row]:
    """Measure attacks, each in both ways."""
    rows = list[Row]()
    print(f"{'median, worst, computing (ms)':46} {'quiet':25} | {'attacked':25} | ratios")
    for placing in placings:
        for group in (names_of(names, is_tls=False), names_of(names, is_tls=True)):
            if group:
                rows += await _measure_group(group, placing, plan)
    return rows


def names_of(names: Sequence[str], *, is_tls: bool) -> list[str]:
    """Return those that need a server with TLS, or those that do not."""
    return [each for each in names if (each in TLS_ATTACKS) is is_tls]


async def _measure_group(names: Sequence[str], placing: str, plan: Plan) -> list[Row]:
    server = TlsServer() if names[0] in TLS_ATTACKS else CurfewServer()
    if placing == APART:
        server.launcher = ("taskset", "-c", "0")
        os.sched_setaffinity(0, {1})
    rows = list[Row]()
    with server:
        other, own = await _targets(server)
        clock = LoopClock(workers_of(server)[0])
        for name in names:
            result = Result(name, placing)
            for _ in range(plan.rounds):
                await _round(result, other, own, clock, plan.seconds)
            rows.append(result.row(plan))
            tell(rows[-1])
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    return rows


async def _targets(server: CurfewServer) -> tuple[Target, Target]:
    """Return what the others have there, and what the attacker has."""
    made = list[Target]()
    is_tls = server.trust is not None
    for name in (SOMEBODY_NEW, "somebody", "mallory"):
        async with Client(server.url) as client:
            if server.trust is not None:
                client.http = httpx.AsyncClient(
                    base_url=server.url, headers=client.http.headers, verify=server.trust
                )
            await client.sign_up(name)
            made.append(Target(server.port, is_tls, client.cookie, client.csrf_token))
    return made[1], made[2]


async def _round(
    result: Result, other: Target, own: Target, clock: LoopClock, seconds: float
) -> None:
    quiet = await others(other, seconds)
    result.quiet.computing += await held_up(other, clock, HELD_TIMES)
    async with _attacking(result, own):
        await asyncio.sleep(WARM_UP)
        attacked = await others(other, seconds)
        result.attacked.computing += await held_up(other, clock, HELD_TIMES)
    await asyncio.sleep(COOL_DOWN)
    for whole, part in zip((result.quiet, result.quiet_sign_ins), quiet, strict=True):
        whole.add(part)
    for whole, part in zip((result.attacked, result.attacked_sign_ins), attacked, strict=True):
        whole.add(part)


@asynccontextmanager
async def _attacking(result: Result, own: Target) -> AsyncIterator[None]:
    nice = ["nice", "-n", str(LEAST_NICE)] if result.placing == APART else []
    attacker = await asyncio.create_subprocess_exec(
        *nice,
        *[sys.executable, "-m", "benchmarks.attacks", "--attack", result.name],
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    told, says = attacker.stdin, attacker.stdout
    if told is None or says is None:
        raise RuntimeError("the attacker has no input or output")
    try:
        told.write(json.dumps(asdict(own)).encode())
        told.close()
        await says.readline()  # it has imported what it needs
        yield
    finally:
        attacker.kill()
        await attacker.wait()
