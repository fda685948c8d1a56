"""The follower: every entry once and in order, and proofs only of what was applied."""

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest

from server.core.errors import StoreMoved, StoreUnavailable
from server.core.events import Acknowledgement, Event, SessionsChanged
from server.realtime.follower import CATCH_UP, MAX_PAUSE, MOVED_PAUSE, Follower
from server.store.stream_contract import Batch, Positions, always
from tests.simulation.stream import ENTRIES_PER_READ
from tests.support.engine.memory_node import MemoryNode
from tests.support.engine.virtual_time import monotonic, on_virtual_time, virtual_loop


class Followed:
    """A follower of a store's streams.

    Attributes:
        users: the users of all events that were applied, in order.
        proofs: the moments that were proved, in order.
        losses: how many events had been applied when entries turned out to be lost.
        fails: how many more batches cannot be applied.
        acknowledged: all acknowledgements that were read, in order.
        awaits: whether it waits for acknowledgements.
        nodes: how many nodes read.
    """

    def __init__(self) -> None:
        self.node = MemoryNode()
        self.memory = self.node.memory
        self.users: list[str] = []
        self.proofs: list[float] = []
        self.losses: list[int] = []
        self.fails = 0
        self.awaits, self.nodes = False, 1
        self.acknowledged: list[Acknowledgement] = []
        self.follower = Follower(
            self.node.store,
            self._apply,
            self._lose,
            self.proofs.append,
            monotonic,
            lambda: self.awaits,
            lambda: self.nodes,
        )

    async def start(self) -> None:
        """Start, and follow."""
        await self.follower.start()
        virtual_loop().create_task(self.follower.run())

    def publish(self, *users: str) -> None:
        """Append an event for each user."""
        for user in users:
            self.memory.publish(SessionsChanged(user))

    async def _apply(self, batch: Batch) -> None:
        if self.fails:
            self.fails -= 1
            raise StoreUnavailable("load")
        self.acknowledged += batch.acknowledgements
        self.users += [_user(event) for event in batch.events]

    async def _lose(self) -> None:
        self.losses.append(len(self.users))


def _user(event: Event) -> str:
    assert isinstance(event, SessionsChanged)
    return event.user


@on_virtual_time
async def test_it_starts_at_the_end_of_the_streams_which_is_a_proof() -> None:
    followed = Followed()
    followed.publish("before")
    asked_at = monotonic()
    await followed.follower.start()
    assert followed.proofs == [asked_at]
    followed.publish("after")
    virtual_loop().create_task(followed.follower.run())
    await asyncio.sleep(1)
    assert followed.users == ["after"]


@on_virtual_time
async def test_entries_are_applied_once_and_in_order() -> None:
    followed = Followed()
    await followed.start()
    expected = [str(number) for number in range(3 * ENTRIES_PER_READ)]
    followed.publish(*expected)
    await asyncio.sleep(1)
    assert followed.users == expected


@on_virtual_time
async def test_an_entry_is_applied_as_soon_as_it_is_there() -> None:
    followed = Followed()
    await followed.start()
    await asyncio.sleep(10)
    followed.publish("ann")
    await asyncio.sleep(0.01)
    assert followed.users == ["ann"]


@on_virtual_time
async def test_a_quiet_stream_is_proved_again_and_again() -> None:
    followed = Followed()
    await followed.start()
    await asyncio.sleep(10)
    assert monotonic() - followed.proofs[-1] < 0.5
    assert followed.proofs == sorted(followed.proofs)


@on_virtual_time
async def test_after_an_outage_it_resumes_where_it_was() -> None:
    followed = Followed()
    await followed.start()
    followed.publish("one")
    await asyncio.sleep(1)
    followed.node.cut()
    followed.publish("two", "three")
    await asyncio.sleep(10)
    assert followed.users == ["one"]
    assert monotonic() - followed.proofs[-1] > 9
    followed.node.heal()
    await asyncio.sleep(MAX_PAUSE + 0.6)  # a try that was under way takes half a second
    assert followed.users == ["one", "two", "three"]
    assert followed.losses == []


@on_virtual_time
async def test_a_batch_that_could_not_be_applied_comes_again_and_is_no_proof() -> None:
    followed = Followed()
    await followed.start()
    followed.fails = 3
    followed.publish("ann")
    published_at = monotonic()
    await asyncio.sleep(0.1)
    assert followed.users == []
    assert followed.proofs[-1] <= published_at
    await asyncio.sleep(1)
    assert followed.users == ["ann"]
    assert followed.proofs[-1] > published_at


@on_virtual_time
async def test_lost_entries_are_made_up_for_before_the_next_proof() -> None:
    followed = Followed()
    await followed.start()
    followed.node.cut()
    await asyncio.sleep(1)
    followed.publish("lost")
    followed.memory.control.trim()
    published_at = monotonic()
    await asyncio.sleep(2)
    assert followed.losses == []
    followed.node.heal()
    await asyncio.sleep(2)
    assert followed.losses == [0]
    assert followed.proofs[-1] > published_at
    followed.publish("after")
    await asyncio.sleep(0.1)
    assert followed.users == ["after"]


@on_virtual_time
async def test_entries_that_come_while_lost_ones_are_made_up_for_are_read() -> None:
    followed = Followed()

    async def publish_meanwhile() -> None:
        followed.losses.append(len(followed.users))
        followed.publish("meanwhile")

    followed.follower._on_loss = publish_meanwhile
    await followed.start()
    followed.publish("lost")
    followed.memory.control.trim()
    await asyncio.sleep(1)
    assert followed.losses == [0]
    assert followed.users == ["meanwhile"]


@on_virtual_time
async def test_a_stream_that_is_filled_faster_than_it_is_read_is_skipped() -> None:
    followed = Followed()
    await followed.start()

    async def fill() -> None:
        while True:
            followed.publish(*["flood"] * 10 * ENTRIES_PER_READ)
            await asyncio.sleep(0.01)

    flood = virtual_loop().create_task(fill())
    await asyncio.sleep(0.01)
    unproved_since = monotonic()
    await asyncio.sleep(CATCH_UP - 0.1)
    assert followed.losses == []
    assert followed.proofs[-1] < unproved_since
    await asyncio.sleep(0.2)
    assert len(followed.losses) == 1
    assert followed.proofs[-1] > unproved_since
    flood.cancel()


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (StoreUnavailable, [0.05, 0.1, 0.2, 0.4, MAX_PAUSE]),
        (StoreMoved, [0.05, *[MOVED_PAUSE] * 4]),
    ],
)
@on_virtual_time
async def test_the_pauses_between_tries_grow_up_to_a_limit(
    failure: type[StoreUnavailable], expected: list[float]
) -> None:
    followed = Followed()
    await followed.start()
    tries: list[float] = []

    async def refuse(positions: Positions, awaits: Callable[[], bool] = always) -> Batch:
        del positions, awaits
        tries.append(monotonic())
        raise failure("follow")

    followed.node.store.read = refuse  # type: ignore[method-assign]
    await asyncio.sleep(6)
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert [round(each, 2) for each in pauses[:5]] == expected
    assert {round(each, 2) for each in pauses[4:]} == {expected[-1]}


@on_virtual_time
async def test_what_comes_while_many_nodes_read_is_read_together_and_all_of_it() -> None:
    followed = Followed()
    followed.nodes = 100
    await followed.start()
    await asyncio.sleep(2)
    expected, before = [str(number) for number in range(500)], len(followed.proofs)
    for user in expected:
        followed.publish(user)
        await asyncio.sleep(0.01)
    assert len(followed.proofs) - before < 200
    await asyncio.sleep(0.2)
    assert followed.users == expected


@on_virtual_time
async def test_acknowledgements_for_all_are_read_from_when_somebody_began_to_wait() -> None:
    followed = Followed()
    await followed.start()
    old, new = Acknowledgement("n2", {"old": 0}), Acknowledgement("n2", {"new": 0})
    followed.memory.acknowledge(None, old)
    await asyncio.sleep(0.5)  # a read is under way that leaves them out
    followed.awaits = True
    followed.memory.acknowledge(None, new)
    await asyncio.sleep(0.5)
    assert followed.acknowledged == [new]
