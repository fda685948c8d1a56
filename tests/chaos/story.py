"""The one story that is told with each fault.

A session has sockets on both servers when the fault begins, and is ended at A by another session
of its user. It, that other session and a stranger's are watched on both servers all the while.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import httpx

from tests.chaos.expectations import Expected
from tests.chaos.two_servers import LEASE_SECONDS, TwoServers
from tests.chaos.witness import Witness
from tests.support.clients.client import Client

END_AGAIN_AFTER: Final = 0.25
ENDED_WITHIN: Final = 20.0


R = TypeVar("R", bound=TwoServers)


@dataclass(frozen=True)
class Fault(Generic[R]):
    """Something that goes wrong.

    Attributes:
        name: in a word or two, for tests.
        title: for the table.
        begin: makes it so.
        mend: repairs it.
        lasts: seconds, at least, until it is mended.
        first: seconds that it lasts before the session is ended.
        mended_after_receipt: whether it is mended only after the receipt has come.
        receipts: states that the receipt may have; `none` where the session may be gone, by an
            earlier request that was answered 503 or with the data, before it can come.
        expected: what sockets may be told.
        loses_data: whether the store forgets everybody.
    """

    name: str
    title: str
    begin: Callable[[R], None]
    mend: Callable[[R], None]
    receipts: frozenset[str]
    expected: Expected
    lasts: float = 0.0
    first: float = 0.0
    mended_after_receipt: bool = True
    loses_data: bool = False


@dataclass
class Story:
    """What was seen.

    Attributes:
        ended: witnesses of the session that is ended, on A and B.
        others: witnesses of all other sessions.
        unavailable: how often the request that ends the session was answered 503.
        receipt: its answer; None where the session was gone.
        answered_at: when the receipt came.
        ended_at: when the session ended, on the store's clock.
        mended_at: when the fault was mended, or had happened where there is nothing to mend.
        served_again_at: when every other session was served on both servers.
    """

    ended: list[Witness]
    others: list[Witness]
    unavailable: int = 0
    receipt: dict[str, Any] | None = None
    answered_at: float = 0.0
    ended_at: float = 0.0
    mended_at: float = 0.0
    served_again_at: float = 0.0

    @property
    def gone_at(self) -> float:
        """From when on nobody may serve the session."""
        bound = self.ended_at + LEASE_SECONDS
        if self.state in {"complete", "bounded"}:
            return min(bound, self.answered_at)
        return bound

    @property
    def served_too_late(self) -> list[str]:
        """What was asked for when nobody might serve the session any more, and was served."""
        return [
            f"{each.what} asked for {each.asked_at - self.gone_at:.3f} s too late"
            for witness in self.ended
            for each in witness.served
            if each.asked_at > self.gone_at
        ]

    @property
    def last_served(self) -> float:
        """Seconds after the end at which the last thing that was served was asked for."""
        asked = [each.asked_at for witness in self.ended for each in witness.served]
        return max(0.0, max(asked) - self.ended_at)

    @property
    def state(self) -> str:
        """The receipt's state, or `none`."""
        return str(self.receipt["state"]) if self.receipt else "none"

    @property
    def silent_after(self) -> float:
        """Seconds after the end until the last socket was closed or held."""
        return max(each.silent_at(self.ended_at) for each in self.ended) - self.ended_at

    @property
    def recovery(self) -> float:
        """Seconds from the repair until everybody else was served everywhere."""
        return max(0.0, self.served_again_at - self.mended_at)


async def tell(rig: R, fault: Fault[R]) -> Story:
    """Tell the story of one fault."""
    async with rig.people() as people, AsyncExitStack() as stack:
        doomed = await people.somebody()
        keeper, stranger = await people.again(doomed), await people.somebody()
        story = Story(
            ended=await _witnesses(rig, stack, doomed),
            others=[
                *await _witnesses(rig, stack, keeper, sends=True),
                *await _witnesses(rig, stack, stranger),
            ],
        )
        for witness in [*story.ended, *story.others]:
            await stack.enter_async_context(witness.watching())
        await _break_and_end(rig, fault, story, keeper, doomed.sid)
        await _see_the_end(fault, story)
    return story


async def _break_and_end(rig: R, fault: Fault[R], story: Story, keeper: Client, sid: str) -> None:
    fault.begin(rig)  # not in a thread: a Valkey started in one ends with it
    begun_at = story.mended_at = time.time()
    await asyncio.sleep(fault.first)
    ending = asyncio.create_task(_end(story, keeper, sid))
    try:
        await asyncio.sleep(begun_at + fault.lasts - time.time())
        if fault.mended_after_receipt:
            await ending
    finally:
        fault.mend(rig)
    if fault.lasts:
        story.mended_at = time.time()
    await ending


async def _end(story: Story, keeper: Client, sid: str) -> None:
    """End the session at A; ask again for as long as it is not known to have ended."""
    async with asyncio.timeout(ENDED_WITHIN):
        while True:
            answer = await keeper.request("DELETE", f"/api/sessions/{sid}")
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            story.unavailable += 1
            await asyncio.sleep(END_AGAIN_AFTER)
    story.answered_at = story.ended_at = time.time()
    if answer.status_code == httpx.codes.OK:
        story.receipt = answer.json()


async def _see_the_end(fault: Fault[Any], story: Story) -> None:
    """Wait until the ended session is closed and all others are served, or all are closed."""
    if fault.loses_data:
        for witness in [*story.ended, *story.others]:
            await witness.until_told("4401 unauthenticated")
        return
    for witness in story.ended:
        await witness.until_told("4401 terminated")
    told = [each.ended_at for witness in story.ended for each in witness.told if each.ended_at]
    story.ended_at = min(told)
    times = [await each.until_served(story.mended_at) for each in story.others]
    story.served_again_at = max(times)


async def _witnesses(
    rig: TwoServers, stack: AsyncExitStack, client: Client, *, sends: bool = False
) -> list[Witness]:
    """One on each server."""
    witnesses = []
    for server in rig.servers:
        browser = await stack.enter_async_context(Client(server.url))
        browser.cookie = client.cookie
        witnesses.append(Witness(browser, sends=sends))
    return witnesses
