"""Tries that wait for others which may turn out right, and no longer than that."""

import asyncio
from collections.abc import Awaitable, Coroutine
from contextlib import suppress

import pytest

from server.accounts.undecided_tries import UndecidedTries
from server.core.throttling import Counter, CounterKind, Tally

ADA = Counter(CounterKind.ACCOUNT, "ada")
GRACE = Counter(CounterKind.ACCOUNT, "grace")
HERE = Counter(CounterKind.ADDRESS, "192.0.2.1")
FAMILIAR = Counter(CounterKind.FAMILIAR, "192.0.2.1\0ada")

ADA_HERE = Tally(None, (ADA, HERE))
GRACE_HERE = Tally(None, (GRACE, HERE))

SOON = 5.0
"""Seconds after which an answer that should come at once counts as none."""


async def soon(answer: Awaitable[bool]) -> bool:
    """Return an answer that nothing stands in the way of."""
    return await asyncio.wait_for(answer, SOON)


@pytest.fixture
def tries() -> UndecidedTries:
    """The tries of one node."""
    return UndecidedTries()


async def waiting(answer: Coroutine[None, None, bool]) -> asyncio.Task[bool]:
    """Begin to ask, and return when it waits."""
    task = asyncio.create_task(answer)
    await asyncio.sleep(0)  # one turn of the loop, in which it comes as far as it can
    assert not task.done()
    return task


async def test_a_try_alone_does_not_wait(tries: UndecidedTries) -> None:
    with tries.undecided(ADA_HERE) as one:
        assert not await soon(one.may_pass(CounterKind.ACCOUNT))
        assert not tries.is_checking(ADA)


async def test_it_waits_for_the_one_that_is_checked_and_counts_again(
    tries: UndecidedTries,
) -> None:
    with tries.undecided(ADA_HERE) as late:
        with tries.undecided(ADA_HERE):
            answer = await waiting(late.may_pass(CounterKind.ACCOUNT))
        assert await soon(answer)
        assert tries.is_checking(ADA)
    assert not tries.is_checking(ADA)


async def test_a_check_that_fails_is_decided_too(tries: UndecidedTries) -> None:
    with tries.undecided(ADA_HERE) as late:
        with suppress(ConnectionError), tries.undecided(ADA_HERE):
            answer = await waiting(late.may_pass(CounterKind.ACCOUNT))
            raise ConnectionError
        assert await soon(answer)


async def test_two_that_are_both_throttled_do_not_wait_for_each_other(
    tries: UndecidedTries,
) -> None:
    with tries.undecided(ADA_HERE) as one, tries.undecided(ADA_HERE) as other:
        first = await waiting(one.may_pass(CounterKind.ACCOUNT))
        assert not await soon(other.may_pass(CounterKind.ACCOUNT))
        assert not await soon(first)


async def test_it_waits_for_nobody_outside_the_counter_that_throttled_it(
    tries: UndecidedTries,
) -> None:
    with tries.undecided(ADA_HERE) as one, tries.undecided(GRACE_HERE):
        assert not await soon(one.may_pass(CounterKind.ACCOUNT))
    with tries.undecided(ADA_HERE) as one:
        with tries.undecided(GRACE_HERE):
            answer = await waiting(one.may_pass(CounterKind.ADDRESS))
        assert await soon(answer)


async def test_a_decision_lets_a_try_count_again_only_once(tries: UndecidedTries) -> None:
    with tries.undecided(ADA_HERE) as late:
        with tries.undecided(ADA_HERE):
            answer = await waiting(late.may_pass(CounterKind.ACCOUNT))
        assert await soon(answer)
        assert not await soon(late.may_pass(CounterKind.ACCOUNT))


async def test_a_decision_before_the_question_counts_as_well(tries: UndecidedTries) -> None:
    with tries.undecided(ADA_HERE) as late:
        with tries.undecided(ADA_HERE):
            pass
        assert await soon(late.may_pass(CounterKind.ACCOUNT))


async def test_the_counter_of_a_familiar_address_is_waited_for_too(tries: UndecidedTries) -> None:
    tally = Tally(FAMILIAR, (ADA, HERE))
    with tries.undecided(tally) as late:
        with tries.undecided(tally):
            answer = await waiting(late.may_pass(CounterKind.FAMILIAR))
        assert await soon(answer)


async def test_one_that_gives_up_while_it_waits_is_waited_for_by_nobody(
    tries: UndecidedTries,
) -> None:
    async def hold() -> bool:
        with tries.undecided(ADA_HERE) as one:
            return await one.may_pass(CounterKind.ACCOUNT)

    with tries.undecided(ADA_HERE):
        gone = await waiting(hold())
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        assert tries.is_checking(ADA)
    assert not tries.is_checking(ADA)
    assert tries._all == set()
