"""The fence: open only with two fresh proofs, and after a lapse only after a comparison."""

import asyncio

import pytest

from server.core.errors import StoreUnavailable
from server.realtime.fence import Fence
from tests.support.engine.memory_node import LEASE, TIMING, Client, MemoryNode
from tests.support.engine.virtual_time import (
    monotonic,
    on_virtual_time,
    settle,
    sleep_while_nothing_runs,
    virtual_loop,
)

SECONDS = LEASE.total_seconds()


class Guarded:
    """A node's fence, run by itself, with proofs and comparisons that a test controls.

    Attributes:
        compared: how often all sessions were compared with the store.
        store_is_down: whether a comparison fails.
        seconds: how long a comparison takes.
    """

    def __init__(self) -> None:
        self.node = MemoryNode()
        self.node.open_fence()  # so that sockets may open; it is not the fence under test
        self.compared = 0
        self.store_is_down = False
        self.seconds = 0.0
        self.fence = Fence(
            self.node.engine.hub, self._compare, LEASE, TIMING.hold_timeout, monotonic
        )
        self.task = virtual_loop().create_task(self.fence.run())

    async def _compare(self) -> None:
        self.compared += 1
        await asyncio.sleep(self.seconds)
        if self.store_is_down:
            raise StoreUnavailable("load")

    async def client(self) -> Client:
        """Return an open socket."""
        client = await self.node.connect(await self.node.sign_in())
        await settle()
        return client

    async def prove(self) -> None:
        """Give both proofs, and let the fence act on them."""
        self.fence.note_listed(monotonic())
        self.fence.note_followed(monotonic())
        await settle()


@on_virtual_time
async def test_it_is_closed_until_both_proofs_came_and_all_sessions_were_compared() -> None:
    guarded = Guarded()
    await settle()
    guarded.fence.note_listed(monotonic())
    await settle()
    assert not guarded.fence.is_open
    assert guarded.compared == 0
    guarded.fence.note_followed(monotonic())
    assert not guarded.fence.is_open
    await settle()
    assert guarded.fence.is_open
    assert guarded.compared == 1


@pytest.mark.parametrize("older", ["listed", "followed"])
def test_it_closes_a_lease_after_its_older_proof(older: str) -> None:
    @on_virtual_time
    async def scenario() -> None:
        guarded = Guarded()
        await asyncio.sleep(1)
        asked_at = monotonic()
        await guarded.prove()
        await asyncio.sleep(SECONDS / 2)
        newer = "followed" if older == "listed" else "listed"
        getattr(guarded.fence, f"note_{newer}")(monotonic())
        await asyncio.sleep(asked_at + SECONDS - monotonic() - 0.001)
        assert guarded.fence.is_open
        await asyncio.sleep(0.001)
        assert not guarded.fence.is_open

    scenario()


@on_virtual_time
async def test_after_a_pause_it_is_closed_before_anything_runs() -> None:
    guarded = Guarded()
    await asyncio.sleep(1)
    await guarded.prove()
    guarded.fence.require()
    sleep_while_nothing_runs(2 * SECONDS)
    assert not guarded.fence.is_open
    with pytest.raises(StoreUnavailable):
        guarded.fence.require()


@on_virtual_time
async def test_proofs_that_come_right_after_a_pause_do_not_open_it_without_a_comparison() -> None:
    guarded = Guarded()
    client = await guarded.client()
    await asyncio.sleep(1)
    await guarded.prove()
    sleep_while_nothing_runs(2 * SECONDS)
    guarded.fence.note_listed(monotonic() + 0.001)
    guarded.fence.note_followed(monotonic() + 0.001)
    assert not guarded.fence.is_open
    assert client.peer.types()[-1] == "hold"
    await settle()
    assert guarded.fence.is_open
    assert guarded.compared == 2
    assert client.peer.types()[-1] == "resume"


@pytest.mark.parametrize("lapsed", ["listed", "followed"])
def test_a_proof_that_comes_after_the_former_one_lapsed_does_not_open_it(lapsed: str) -> None:
    @on_virtual_time
    async def scenario() -> None:
        guarded = Guarded()
        await asyncio.sleep(1)
        await guarded.prove()
        fresh = "followed" if lapsed == "listed" else "listed"
        getattr(guarded.fence, f"note_{fresh}")(monotonic() + SECONDS)
        sleep_while_nothing_runs(1.5 * SECONDS)
        getattr(guarded.fence, f"note_{lapsed}")(monotonic())
        assert not guarded.fence.is_open

    scenario()


@on_virtual_time
async def test_proofs_from_before_the_hold_do_not_end_it() -> None:
    guarded = Guarded()
    await asyncio.sleep(1)
    await guarded.prove()
    await asyncio.sleep(1.5 * SECONDS)
    held_at = guarded.fence._held_at
    assert held_at is not None
    guarded.fence.note_listed(held_at)
    guarded.fence.note_followed(monotonic())
    await settle()
    assert not guarded.fence.is_open
    assert guarded.compared == 1


@on_virtual_time
async def test_it_stays_closed_while_sessions_cannot_be_compared_and_tries_again() -> None:
    guarded = Guarded()
    client = await guarded.client()
    guarded.store_is_down = True
    await guarded.prove()
    assert not guarded.fence.is_open
    guarded.store_is_down = False
    await asyncio.sleep(SECONDS / 10)
    assert guarded.fence.is_open
    assert guarded.compared == 2
    assert client.peer.types()[-1] == "resume"


@on_virtual_time
async def test_it_stays_closed_when_a_proof_expires_during_the_comparison() -> None:
    guarded = Guarded()
    client = await guarded.client()
    guarded.seconds = 1.5 * SECONDS
    await guarded.prove()
    await asyncio.sleep(guarded.seconds)
    assert guarded.compared == 1
    assert not guarded.fence.is_open
    assert "resume" not in client.peer.types()
    guarded.seconds = 0.0
    await guarded.prove()
    assert guarded.fence.is_open


@on_virtual_time
async def test_sockets_that_were_held_too_long_close_without_a_verdict() -> None:
    guarded = Guarded()
    client = await guarded.client()
    await asyncio.sleep(TIMING.hold_timeout.total_seconds() - 0.1)
    assert client.peer.code is None
    await asyncio.sleep(0.1)
    assert client.peer.code == 4503


@on_virtual_time
async def test_who_waits_for_it_goes_on_when_it_opens() -> None:
    guarded = Guarded()
    waiting = asyncio.create_task(guarded.fence.opened())
    await settle()
    assert not waiting.done()
    await guarded.prove()
    assert waiting.done()
    await guarded.fence.opened()  # at once


@on_virtual_time
async def test_it_tells_the_age_of_its_proofs_and_whether_the_stream_is_followed() -> None:
    guarded = Guarded()
    assert not guarded.fence.follows
    guarded.fence.note_listed(monotonic())
    await asyncio.sleep(0.25)
    guarded.fence.note_followed(monotonic())
    await asyncio.sleep(0.5)
    assert guarded.fence.listed_age == pytest.approx(0.75)
    assert guarded.fence.followed_age == pytest.approx(0.5)
    assert guarded.fence.follows
    await asyncio.sleep(0.5)
    assert not guarded.fence.follows


@on_virtual_time
async def test_what_an_old_master_says_is_no_proof_of_later() -> None:
    guarded, vouched_at = Guarded(), monotonic()
    guarded.fence = Fence(
        guarded.node.engine.hub,
        guarded._compare,
        LEASE,
        TIMING.hold_timeout,
        monotonic,
        lambda: vouched_at,
    )
    guarded.task.cancel()
    await asyncio.sleep(0.1)
    vouched_at = monotonic()
    guarded.task = virtual_loop().create_task(guarded.fence.run())
    await guarded.prove()
    assert guarded.fence.is_open
    for _ in range(10):  # it still answers all the while, and others have another one
        await asyncio.sleep(SECONDS / 9)
        await guarded.prove()
    assert not guarded.fence.is_open
    assert not guarded.fence.follows
    vouched_at = monotonic()
    await guarded.prove()
    assert guarded.fence.is_open
    guarded.task.cancel()
