"""Sessions begin and end under load while the master is replaced: every receipt stays true.

`make sentinel` runs this. It prints what it counted, with `-s`.
"""

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import httpx
import pytest

from tests.chaos.sentinel_faults import SENTINEL_FAULTS
from tests.chaos.sentinel_rig import SentinelFaultRig
from tests.chaos.story import Fault
from tests.chaos.witness import Witness
from tests.support.clients.client import Client
from tests.support.clients.people import People, user_of

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.alone,
    pytest.mark.skipif(os.environ.get("SENTINEL_FAULTS") != "all", reason="make sentinel runs it"),
]

KEEPERS, WORKERS, KEPT = 4, 4, 3
BEFORE, MENDED_AFTER, LASTS = 1.5, 6.0, 10.0
"""Seconds from the beginning: the fault, its repair by when a replica is promoted, the end."""
FAULTS = [each for each in SENTINEL_FAULTS if each.name in {"command", "killed", "frozen"}]


@dataclass
class Seen:
    """What the workers saw.

    Attributes:
        ended: cookies of sessions with a receipt that says they are gone.
        states: of all receipts, and the statuses of what got none.
        began: how many sessions began.
        alive: browsers whose session began and was not ended.
        failed_at: when requests got 503.
    """

    ended: list[str] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    began: int = 0
    alive: list[Client] = field(default_factory=list)
    failed_at: list[float] = field(default_factory=list)

    def note(self, what: str) -> None:
        """Count a request that was not served."""
        self.states[what] += 1
        self.failed_at.append(time.monotonic())


@pytest.fixture(scope="module")
def rig() -> Iterator[SentinelFaultRig]:
    with SentinelFaultRig.running() as running:
        yield running


@pytest.fixture
async def people(rig: SentinelFaultRig) -> AsyncIterator[People]:
    rig.settle()
    async with rig.people() as people:
        yield people


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_what_a_receipt_says_is_true_after_the_failover(
    rig: SentinelFaultRig, people: People, fault: Fault[SentinelFaultRig]
) -> None:
    seen = Seen()
    keepers = [await people.somebody() for _ in range(KEEPERS)]
    async with AsyncExitStack() as stack:
        witnesses = [await witness_of(rig, stack, each) for each in keepers]
        ending = [await people.somebody() for _ in range(WORKERS)]
        work = [asyncio.create_task(load(people, each, seen)) for each in ending]
        started = time.monotonic()
        await asyncio.sleep(BEFORE)
        fault.begin(rig)
        fault_at = time.monotonic()
        await asyncio.sleep(started + MENDED_AFTER - time.monotonic())
        fault.mend(rig)
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
    rig.store.settle()
    assert rig.store.master() is not rig.old
    back = [cookie for cookie in seen.ended if await lives(rig, cookie)]
    lost = [each for each in seen.alive if not await lives(rig, each.cookie)]
    gap = max(seen.failed_at, default=fault_at) - fault_at
    sys.stdout.write(
        f"\n{fault.name}: {dict(seen.states)}; {len(back)} of {len(seen.ended)} ends came back, "
        f"{len(lost)} of {len(seen.alive)} new sessions lost; last 503 "
        f"{gap:.1f} s after the fault\n"
    )
    assert back == []
    assert seen.states["complete"] > 0
    assert len(lost) <= WORKERS  # what no replica had when the master was killed


async def witness_of(rig: SentinelFaultRig, stack: AsyncExitStack, keeper: Client) -> Witness:
    """Watch a session on B, with a socket."""
    browser = await stack.enter_async_context(Client(rig.servers.b.url))
    browser.cookie = keeper.cookie
    witness = Witness(browser)
    await stack.enter_async_context(witness.watching())
    return witness


async def load(people: People, keeper: Client, seen: Seen) -> None:
    """Sign in and end, again and again, over one person's other session; keep a few."""
    name, kept = await user_of(keeper), 0
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
        if seen.began % 5 == 0 and kept < KEPT:
            kept += 1
            seen.alive.append(browser)
            continue
        await end(keeper, browser, seen)


async def end(keeper: Client, browser: Client, seen: Seen) -> None:
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


async def lives(rig: SentinelFaultRig, cookie: str) -> bool:
    """Whether any server serves a session by its cookie."""
    for server in rig.servers:
        async with Client(server.url) as browser:
            browser.cookie = cookie
            answer = await browser.request("GET", "/api/session", keep=False)
            if answer.status_code == httpx.codes.OK and answer.json()["session"] is not None:
                return True
    return False
