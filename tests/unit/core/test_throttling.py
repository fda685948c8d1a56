"""What tries are counted by, and what follows from a count."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.throttling import (
    CEILING,
    LONGEST_DELAY,
    RULES,
    CounterKind,
    Rule,
    Step,
    code_tally,
    doubling,
    proof_tally,
    sign_in_tally,
    sign_up_tally,
)
from server.crypto.challenges import LIFETIME_SECONDS

SECOND = timedelta(seconds=1)
GUESSED = (CounterKind.ACCOUNT, CounterKind.FAMILIAR, CounterKind.SESSION, CounterKind.OWNER)
texts = st.text(st.characters(codec=None), max_size=20)


def test_a_delay_doubles_up_to_its_longest() -> None:
    assert doubling(3, SECOND, 5 * SECOND) == (
        Step(3, SECOND),
        Step(4, 2 * SECOND),
        Step(5, 4 * SECOND),
        Step(6, 5 * SECOND),
    )
    assert doubling(3, SECOND, SECOND) == (Step(3, SECOND),)


@pytest.mark.parametrize("kind", CounterKind)
def test_steps_rise_and_no_delay_outlives_its_counter(kind: CounterKind) -> None:
    rule = RULES[kind]
    tries = [step.tries for step in rule.steps]
    assert tries == sorted(set(tries))
    assert tries[0] >= 10
    delays = [step.delay for step in rule.steps]
    assert delays == sorted(delays)
    assert all(step.delay <= step.tries * rule.forgets for step in rule.steps)


@pytest.mark.parametrize("kind", CounterKind)
@pytest.mark.proves("6.1.1", "A62")
def test_every_delay_ends(kind: CounterKind) -> None:
    assert max(step.delay for step in RULES[kind].steps) <= timedelta(hours=1)


@pytest.mark.parametrize("kind", GUESSED)
@pytest.mark.proves("6.3.1")
def test_from_a_hundred_failures_in_a_row_on_one_try_an_hour_is_left(kind: CounterKind) -> None:
    steps = RULES[kind].steps
    assert (steps[-1], steps[-2].delay) == (CEILING, LONGEST_DELAY)
    assert (CEILING.tries, CEILING.delay) == (100, timedelta(hours=1))


@pytest.mark.parametrize("kind", GUESSED)
def test_a_patient_guesser_gets_about_a_hundred_tries_on_the_first_day_and_then_one_an_hour(
    kind: CounterKind,
) -> None:
    day = timedelta(days=1)
    assert tries_within(RULES[kind], day) < 130
    assert tries_within(RULES[kind], 365 * day) < 365 * 24 + 130


def tries_within(rule: Rule, time: timedelta) -> int:
    """How many tries somebody gets who makes each one as soon as it may be made."""
    tries, remembered, now = 0, 0.0, timedelta()
    while now < time:
        tries += 1
        remembered = min(rule.steps[-1].tries, remembered + 1)
        delay = max(
            (step.delay for step in rule.steps if remembered > step.tries - 1),
            default=timedelta(),
        )
        now += delay
        remembered = max(0.0, remembered - delay / rule.forgets)
    return tries


@pytest.mark.parametrize("kind", [CounterKind.ADDRESS, CounterKind.EVERYBODY, CounterKind.SIGN_UP])
def test_one_persons_success_pardons_nobody_elses_failures(kind: CounterKind) -> None:
    assert not RULES[kind].pardons


@given(texts, texts, st.sampled_from(["192.0.2.7", "192.0.2.77", "2001:db8::1", ""]))
def test_different_people_and_places_have_different_counters(
    one: str, other: str, address: str
) -> None:
    ones, others = sign_in_tally(one, address), sign_in_tally(other, address)
    assert (ones == others) == (one == other)
    elsewhere = sign_in_tally(one, "198.51.100.1")
    assert ones.familiar != elsewhere.familiar
    assert ones.others[0] == elsewhere.others[0]
    assert ones.others[1] != elsewhere.others[1]


def test_proving_again_and_signing_up_share_no_counter_with_signing_in() -> None:
    kinds = [
        {each.kind for each in (*tally.others, *([tally.familiar] if tally.familiar else []))}
        for tally in (sign_in_tally("ann", "::1"), proof_tally("ann", "s"), sign_up_tally("::1"))
    ]
    assert set.union(*kinds) == set(CounterKind)
    assert sum(map(len, kinds)) == len(CounterKind)


def test_a_code_waits_for_nothing_that_outlives_the_proof_of_its_password() -> None:
    tally = code_tally("ann", "192.0.2.1")
    counting = [each for each in tally.others if not each.spared]
    assert {each.kind for each in counting} == {CounterKind.ADDRESS, CounterKind.EVERYBODY}
    assert tally.familiar
    assert tally.familiar.spared
    longest = max(step.delay for each in counting for step in each.rule.steps)
    assert longest < timedelta(seconds=LIFETIME_SECONDS) / 2


def test_a_code_is_pardoned_where_its_password_was_counted() -> None:
    ends = [(each.kind, each.of) for each in code_tally("ann", "192.0.2.1").others]
    assert ends == [(each.kind, each.of) for each in sign_in_tally("ann", "192.0.2.1").others]
