"""Sessions that begin and end all the time while something fails, and what became of them."""

import asyncio
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import httpx

from tests.chaos.story import Fault, R
from tests.chaos.two_servers import TwoServers
from tests.chaos.witness import Witness
from tests.support.clients.client import Client
from tests.support.clients.people import People, user_of

PEOPLE, KEPT = 4, 3
BEFORE, MENDED_AFTER, LASTS = 1.5, 6.0, 10.0
"""Seconds from the beginning: the fault, its repair by when a replica is promoted, the end."""


@dataclass
class Seen:
    """What somebody saw who began sessions and ended them.

    Attributes:
        ended: cookies of sessions with a receipt that says they are gone.
        states: of all receipts, and the statuses of what got none.
        began: how many sessions began.
        alive: browsers whose session began and was not ended.
        failed_at: when requests got 503.
        came_back: those of `ended` that were served after all.
        lost: those of `alive` that were not served any more.
    """

    ended: list[str] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    began: int = 0
    alive: list[Client] = field(default_factory=list)
    failed_at: list[float] = field(default_factory=list)
    came_back: list[str] = field(default_factory=list)
    lost: list[Client] = field(default_factory=list)

    def note(self, what: str) -> None:
        """Count a request that was not served."""
        self.states[what] += 1
        self.failed_at.append(time.monotonic())


async def seen_under_load(rig: R, people: People, fault: Fault[R]) -> list[Seen]:
    """Let a fault happen among sign-ins and ends, and return what each of the people saw.

    As many others only look on: they are served again in the end, and none is signed out.
    """
    keepers = [await people.somebody() for _ in range(PEOPLE)]
    ending = [(await people.somebody(), Seen()) for _ in range(PEOPLE)]
    async with AsyncExitStack() as stack:
        witnesses = [await _witness_of(rig, stack, each) for each in keepers]
        work = [asyncio.create_task(_load(people, each, seen)) for each, seen in ending]
        started = time.monotonic()
        await asyncio.sleep(BEFORE)
        fault_at = time.monotonic()
        await asyncio.to_thread(fault.begin, rig)
        await asyncio.sleep(started + MENDED_AFTER - time.monotonic())
        fault.mend(rig)  # not in a thread: a Valkey started in one ends with it
        await asyncio.sleep(started + LASTS - time.monotonic())
        for task in work:
            assert not task.done(), task
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        mended_at = time.time()
        for witness in witnesses:
            await witness.until_served(mended_at)
            assert not witness.is_signed_out, witness.statuses
            assert not witness.lost_cookie
    await asyncio.to_thread(rig.settle)
    for _, seen in ending:
        seen.came_back = [each for each in seen.ended if await _lives(rig, each)]
        seen.lost = [each for each in seen.alive if not await _lives(rig, each.cookie)]
        _tell(fault.name, seen, fault_at)
    return [seen for _, seen in ending]


def _tell(fault: str, seen: Seen, fault_at: float) -> None:
    """Print it, for who asks pytest to show it."""
    gap = max(seen.failed_at, default=fault_at) - fault_at
    sys.stdout.write(
        f"\n{fault}: {dict(seen.states)}; {len(seen.came_back)} of {len(seen.ended)} ends came "
        f"back, {len(seen.lost)} of {len(seen.alive)} new sessions lost; last 503 {gap:.1f} s "
        "after the fault\n"
    )


async def _witness_of(rig: TwoServers, stack: AsyncExitStack, keeper: Client) -> Witness:
    """Watch a session on B, with a socket."""
    browser = await stack.enter_async_context(Client(rig.servers.b.url))
    browser.cookie = keeper.cookie
    witness = Witness(browser)
    await stack.enter_async_context(witness.watching())
    return witness


async def _load(people: People, keeper: Client, seen: Seen) -> None:
    """Sign in and end, again and again, over one person's other session; keep a few."""
    name = await user_of(keeper)
    while True:
        browser = await people.visitor()
        try:
            await browser.sign_in(name)
        except AssertionError as refused:
            if "unavailable" not in str(refused):
                raise
            seen.note("sign-in 503")
            await asyncio.sleep(0.1)
            continue
        seen.began += 1
        if seen.began % 5 == 0 and len(seen.alive) < KEPT:
            seen.alive.append(browser)
            continue
        await _end(keeper, browser, seen)


async def _end(keeper: Client, browser: Client, seen: Seen) -> None:
    """End a session, and ask again for as long as it is not known to have ended."""
    while True:
        answer = await keeper.request("DELETE", f"/api/sessions/{browser.sid}")
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            break
        seen.note("end 503")
        await asyncio.sleep(0.1)
    if answer.status_code != httpx.codes.OK:  # gone: by a request that was answered 503
        seen.states["none"] += 1
        return
    state = answer.json()["state"]
    seen.states[state] += 1
    if state in {"complete", "bounded"}:
        seen.ended.append(browser.cookie)


async def _lives(rig: TwoServers, cookie: str) -> bool:
    """Whether any server serves a session by its cookie."""
    for server in rig.servers:
        async with Client(server.url) as browser:
            browser.cookie = cookie
            answer = await browser.request("GET", "/api/session", keep=False)
            if answer.status_code == httpx.codes.OK and answer.json()["session"] is not None:
                return True
    return False
