"""Counters of tries: what the script is told of the rules, and what the store is not told."""

from datetime import timedelta
from typing import Final

import pytest
import redis

from server.core.throttling import (
    FAMILIAR_FOR,
    RULES,
    Counted,
    Counter,
    CounterKind,
    Rule,
    Step,
    Tally,
    Throttled,
    sign_in_tally,
)
from server.store.scripts import Scripts
from server.store.try_counters import TryCounters, _rule_args, _steps

NOW: Final = 1_000_000.0
KEY: Final = b"a key for names"


@pytest.fixture
def counters(scripts: Scripts) -> TryCounters:
    return TryCounters(scripts, KEY, lambda: NOW)


def test_a_rule_is_told_in_milliseconds_and_in_rising_order() -> None:
    steps = (Step(3, timedelta(seconds=1)), Step(4, timedelta(minutes=1)))
    assert _steps(Rule(steps, timedelta(days=1), pardons=True)) == "3:1000 4:60000"


def test_a_spared_counter_is_told_without_steps() -> None:
    assert _rule_args(Counter(CounterKind.ACCOUNT, "ann", spared=True)) == (86_400_000, "")


@pytest.mark.parametrize("kind", CounterKind)
def test_the_steps_of_every_rule_rise(kind: CounterKind) -> None:
    tries = [int(step.split(":")[0]) for step in _steps(RULES[kind]).split()]
    assert tries == sorted(set(tries))


async def test_what_was_typed_is_in_no_name(counters: TryCounters, raw: redis.Redis) -> None:
    tally = sign_in_tally("my-password-by-mistake", "192.0.2.77")
    counted = await counters.count(tally, operation="o1")
    assert isinstance(counted, Counted)
    await counters.record_success(tally, counted, operation="o1")
    names = b" ".join(raw.scan_iter())
    assert b"password" not in names
    assert b"192.0.2" not in names
    assert b":familiar:" in names


async def test_another_key_makes_other_names(scripts: Scripts, raw: redis.Redis) -> None:
    for key in (KEY, b"another"):
        await TryCounters(scripts, key, lambda: NOW).count(
            Tally(None, (Counter(CounterKind.SESSION, "s"),)), operation="o1"
        )
    assert raw.dbsize() == 2


async def test_the_counter_that_says_to_wait_is_named(counters: TryCounters) -> None:
    tally = Tally(
        None, (Counter(CounterKind.EVERYBODY, ""), Counter(CounterKind.ADDRESS, "192.0.2.1"))
    )
    for number in range(20):
        assert await counters.count(tally, operation=str(number)) == Counted(tally.others)
    throttled = await counters.count(tally, operation="more")
    assert throttled == Throttled(timedelta(minutes=1), CounterKind.ADDRESS)


async def test_a_success_makes_its_address_familiar_for_a_month(
    counters: TryCounters, raw: redis.Redis
) -> None:
    tally = sign_in_tally("ann", "192.0.2.1")
    first = await counters.count(tally, operation="o1")
    assert first == Counted(tally.others)
    await counters.record_success(tally, Counted(tally.others), operation="o1")
    assert tally.familiar is not None
    assert await counters.count(tally, operation="o2") == Counted((tally.familiar,))
    (mark,) = raw.scan_iter("curfew:{00}:familiar:*")
    left_ms = raw.pttl(mark)
    assert isinstance(left_ms, int)
    assert 0 <= FAMILIAR_FOR / timedelta(milliseconds=1) - left_ms < 10_000


async def test_a_try_that_was_withdrawn_marks_and_counts_nothing(
    counters: TryCounters, raw: redis.Redis
) -> None:
    tally = sign_in_tally("ann", "192.0.2.1")
    await counters.count(tally, operation="o1")
    await counters.withdraw(Counted(tally.others), operation="o1")
    assert raw.dbsize() == 0


async def test_withdrawing_leaves_spared_counters_alone(
    counters: TryCounters, raw: redis.Redis
) -> None:
    counter = Counter(CounterKind.ACCOUNT, "ann")
    await counters.count(Tally(None, (counter,)), operation="o1")
    spared = Counter(CounterKind.ACCOUNT, "ann", spared=True)
    await counters.withdraw(Counted((spared,)), operation="o1")
    assert raw.dbsize() == 1


async def test_names_follow_the_key(counters: TryCounters, raw: redis.Redis) -> None:
    tally = Tally(None, (Counter(CounterKind.SESSION, "s"),))
    await counters.count(tally, operation="o1")
    counters.use_key(b"another")
    await counters.count(tally, operation="o2")
    assert raw.dbsize() == 2


async def test_what_the_tries_of_an_account_left_can_be_forgotten(
    scripts: Scripts, raw: redis.Redis
) -> None:
    now = NOW
    counters = TryCounters(scripts, KEY, lambda: now)
    tally = sign_in_tally("ann", "192.0.2.77")
    first = await counters.count(tally, operation="o1")
    assert isinstance(first, Counted)
    now += 1
    await counters.forget("ann")
    await counters.record_success(tally, first, operation="o1")  # it was counted before
    assert await counters.count(tally, operation="o2") == Counted(tally.others)

    now += 1
    later = await counters.count(tally, operation="o3")
    assert isinstance(later, Counted)
    await counters.record_success(tally, later, operation="o3")
    assert await counters.count(tally, operation="o4") == Counted((tally.familiar,))  # type: ignore[arg-type]
    other = sign_in_tally("bob", "192.0.2.77")
    assert await counters.count(other, operation="o5") == Counted(other.others)
    assert b"ann" not in b" ".join(raw.scan_iter())


async def test_a_mark_of_an_earlier_version_counts_until_it_is_forgotten(
    counters: TryCounters, raw: redis.Redis
) -> None:
    tally = sign_in_tally("ann", "192.0.2.77")
    assert tally.familiar is not None
    raw.set(counters._mark_of(tally.familiar), "1")
    assert await counters.count(tally, operation="o1") == Counted((tally.familiar,))
    await counters.forget("ann")
    assert await counters.count(tally, operation="o2") == Counted(tally.others)
