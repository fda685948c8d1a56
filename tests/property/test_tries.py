"""Counters of tries in the store against the rules, for histories of tries by several people."""

import asyncio
import itertools
import math
import os
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.core.throttling import (
    Counted,
    Counter,
    CounterKind,
    Tally,
    Throttled,
    code_tally,
    proof_tally,
    sign_in_tally,
    sign_up_tally,
)
from server.store.connection import open_client
from server.store.scripts import Scripts
from server.store.try_counters import TryCounters

MS = timedelta(milliseconds=1)
bounded = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])

Name = tuple[CounterKind, str]


class Remembered:
    """What the counters must hold, by the rules alone. Time never goes back here."""

    def __init__(self) -> None:
        self._counts: dict[Name, tuple[float, int]] = {}
        self._before: dict[Name, tuple[str, tuple[float, int] | None]] = {}
        self._familiar: set[Name] = set()

    def count(self, tally: Tally, now: int, operation: str) -> Counted | Throttled:
        """What the store must say of a try now, in ms."""
        at_home = tally.familiar and name_of(tally.familiar) in self._familiar
        counters = (tally.familiar,) if tally.familiar and at_home else tally.others
        counting = [each for each in counters if not each.spared]
        waits = {each: self._wait(each, now) for each in counting}
        longest = max(waits.values(), default=0)
        if longest > 0:
            by = next(each for each, wait in waits.items() if wait == longest)
            return Throttled(longest * MS, by.kind)
        for each in counting:
            most, name = each.rule.steps[-1].tries, name_of(each)
            self._before[name] = (operation, self._counts.get(name))
            self._counts[name] = (min(most, self._left(each, now) + 1), now)
        return Counted(counters)

    def record_success(self, tally: Tally, counted: Counted, operation: str) -> None:
        """The try succeeded."""
        if tally.familiar:
            self._familiar.add(name_of(tally.familiar))
        for each in counted.counters:
            if each.rule.pardons:
                self._counts.pop(name_of(each), None)
            else:
                self._take_out(each, operation)

    def withdraw(self, counted: Counted, operation: str) -> None:
        """The try was not made."""
        for each in counted.counters:
            if not each.spared:
                self._take_out(each, operation)

    def _wait(self, counter: Counter, now: int) -> int:
        tries, at = self._counts.get(name_of(counter), (0.0, now))
        reached = [step.delay for step in counter.rule.steps if math.ceil(tries) >= step.tries]
        return max(reached, default=0 * MS) // MS - (now - at)

    def _left(self, counter: Counter, now: int) -> float:
        tries, at = self._counts.get(name_of(counter), (0.0, now))
        return max(0.0, tries - (now - at) / (counter.rule.forgets / MS))

    def _take_out(self, counter: Counter, operation: str) -> None:
        name = name_of(counter)
        latest, before = self._before.pop(name, ("", None))
        tries, at = self._counts.get(name, (0.0, 0))
        left = before if latest == operation and name in self._counts else (tries - 1, at)
        self._counts.pop(name, None)
        if left and left[0] > 0:
            self._counts[name] = left


def name_of(counter: Counter) -> Name:
    """What tells it from others; whether it is spared does not."""
    return counter.kind, counter.of


people = st.sampled_from(["ann", "bob"])
places = st.sampled_from(["192.0.2.1", "192.0.2.2", "2001:db8::1"])
tallies = st.one_of(
    st.builds(sign_in_tally, people, places),
    st.builds(code_tally, people, places),
    st.builds(proof_tally, st.just("ann"), st.sampled_from(["s1", "s2"])),
    st.builds(sign_up_tally, st.just("192.0.2.1")),
)
pauses = st.sampled_from([0, 0, 0, 1, 999, 1000, 1001, 30_000, 60_000, 900_000, 3_600_000])
ends = st.sampled_from(["fails", "fails", "fails", "succeeds", "withdrawn", "under way"])
histories = st.lists(st.tuples(st.integers(1, 25), tallies, pauses, ends), max_size=30)


@bounded
@given(histories)
@pytest.mark.proves("6.3.1", "6.1.1")
def test_the_store_counts_as_the_rules_say(
    store_url: str, history: Sequence[tuple[int, Tally, int, str]]
) -> None:
    asyncio.run(compare(store_url, history))


async def compare(url: str, history: Sequence[tuple[int, Tally, int, str]]) -> None:
    """Carry a history out in the store and by the rules; every answer must be the same."""
    now, numbers, expected = 1_800_000_000_000, itertools.count(), Remembered()
    async with open_client(url) as client:
        store = TryCounters(Scripts(client), os.urandom(32), lambda: now / 1000)
        under_way: list[tuple[Tally, Counted, str]] = []
        for times, tally, pause, end in history:
            for _ in range(times):
                now += pause
                operation = str(next(numbers))
                counted = await store.count(tally, operation=operation)
                assert counted == expected.count(tally, now, operation)
                if isinstance(counted, Throttled):
                    continue
                under_way.append((tally, counted, operation))
                if end == "under way":
                    continue
                tried, settled, name = under_way.pop(0)
                if end == "succeeds":
                    await store.record_success(tried, settled, operation=name)
                    expected.record_success(tried, settled, name)
                elif end == "withdrawn":
                    await store.withdraw(settled, operation=name)
                    expected.withdraw(settled, name)


@bounded
@given(st.lists(st.sampled_from([0, 1, 500, 1000, 2000, 60_000, 900_000]), max_size=200))
@pytest.mark.proves("6.1.1", "A59", "A62")
def test_a_wait_that_is_told_is_exact_and_asking_too_early_does_not_lengthen_it(
    store_url: str, pauses: list[int]
) -> None:
    asyncio.run(ask_early(store_url, pauses))


async def ask_early(url: str, pauses: list[int]) -> None:
    """Fail as often as it is allowed; each wait must end when it was told to."""
    now, tally = 1_800_000_000_000, sign_in_tally("ann", "192.0.2.1")
    ends_at = 0
    async with open_client(url) as client:
        store = TryCounters(Scripts(client), os.urandom(32), lambda: now / 1000)
        for number, pause in enumerate(pauses):
            now += pause
            counted = await store.count(tally, operation=str(number))
            assert isinstance(counted, Throttled) == (now < ends_at)
            if isinstance(counted, Throttled):
                assert counted.by in {CounterKind.ACCOUNT, CounterKind.ADDRESS}
                assert now + counted.wait // MS == ends_at
            else:
                again = await store.count(tally, operation=f"{number}-again")
                ends_at = now + again.wait // MS if isinstance(again, Throttled) else now
                if isinstance(again, Counted):
                    await store.withdraw(again, operation=f"{number}-again")
