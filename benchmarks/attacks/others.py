"""What other people see while somebody attacks: how late answers are, and what is refused."""

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from statistics import median, quantiles
from typing import Final

from benchmarks.attacks.computing import LoopClock
from benchmarks.attacks.wire import OTHER, PATIENCE, Target, answered, connected, get, post
from tests.support.clients.client import PASSWORD

EVERY: Final = 0.02
"""Seconds between an answer and the next session request."""
SIGN_INS_EVERY: Final = 0.25
HELD: Final = 0.1
SOMEBODY_NEW: Final = "somebody-new"


@dataclass
class Seen:
    """What one client has measured.

    Attributes:
        latencies: in seconds, of requests that were answered.
        computing: what the server's loop computed meanwhile, in seconds of processor time.
        refused: how often each status other than 200 came; 0 is a connection that was cut.
    """

    latencies: list[float] = field(default_factory=list)
    computing: list[float] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)

    @property
    def median(self) -> float:
        """The median latency in seconds; infinite if nothing was answered."""
        return median(self.latencies) if self.latencies else float("inf")

    @property
    def late(self) -> float:
        """What 99 of 100 latencies are below."""
        return (
            quantiles(self.latencies, n=100, method="inclusive")[98]
            if len(self.latencies) > 1
            else float("inf")
        )

    @property
    def worst(self) -> float:
        """The longest latency."""
        return max(self.latencies, default=float("inf"))

    def add(self, other: "Seen") -> None:
        """Add what was seen in another round."""
        self.latencies += other.latencies
        self.computing += other.computing
        self.refused.update(other.refused)

    def row(self) -> str:
        """Say the median, the late and the worst, and what was refused."""
        computing = median(self.computing or [0.0])
        told = self.median, self.late, self.worst, computing
        times = " ".join(f"{1e3 * each:7.1f}" for each in told)
        return f"{times}  {dict(self.refused) or ''}"


async def somebody_else(
    target: Target,
    asked: bytes,
    every: float,
    seconds: float,
    seen: Seen | None = None,
) -> Seen:
    """Ask the same again and again on one connection."""
    seen, until = Seen() if seen is None else seen, time.perf_counter() + seconds
    async with AsyncExitStack() as stack:
        reader, writer = await stack.enter_async_context(connected(target, OTHER))
        while (began := time.perf_counter()) < until:
            writer.write(asked)
            try:
                async with asyncio.timeout(PATIENCE):
                    status = await answered(reader)
            except (OSError, EOFError):
                status = 0
                reader, writer = await stack.enter_async_context(connected(target, OTHER))
            if status == HTTPStatus.OK:
                seen.latencies.append(time.perf_counter() - began)
            else:
                seen.refused[status] += 1
            await asyncio.sleep(every)
    return seen


async def held_up(target: Target, clock: LoopClock, times: int) -> list[float]:
    """Return what a server's loop computes before a session request that came last is answered.

    The process is stopped first, for so long that whoever attacks has sent all that it can. So it
    does not count how many cores the machine has, and who else wants them.

    Args:
        target: the server.
        clock: of its process.
        times: how often to ask.
    """
    session, computed = get(b"/api/session", signed_in=True)(target), list[float]()
    async with connected(target, OTHER) as (reader, writer):
        for _ in range(times):
            with clock.stopped():
                await asyncio.sleep(HELD)
                writer.write(session)
                await asyncio.sleep(0)
                before = clock.seconds()
            await answered(reader)
            computed.append(clock.seconds() - before)
            await asyncio.sleep(EVERY)
    return computed


async def others(target: Target, seconds: float) -> tuple[Seen, Seen]:
    """Ask for the session, and sign in meanwhile; return what both have seen."""
    credentials = b'{"username":"%s","password":"%s"}' % (SOMEBODY_NEW.encode(), PASSWORD.encode())
    session = get(b"/api/session", signed_in=True)(target)
    sign_in = post(b"/api/login", credentials)(target)
    return await asyncio.gather(
        somebody_else(target, session, EVERY, seconds),
        somebody_else(target, sign_in, SIGN_INS_EVERY, seconds),
    )
