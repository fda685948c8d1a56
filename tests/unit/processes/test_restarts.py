"""Who ran well comes back at once; who keeps dying young waits ever longer."""

import pytest

from server.processes.restarts import (
    FIRST_DELAY_SECONDS,
    LONGEST_DELAY_SECONDS,
    WELL_AFTER_SECONDS,
    RestartPlan,
)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def plan(clock: Clock) -> RestartPlan:
    return RestartPlan(clock)


def delay_after(plan: RestartPlan, clock: Clock, *, lived: float) -> float:
    """Start, live for so many seconds, die; return the seconds to the next start."""
    plan.started()
    clock.now += lived
    plan.died()
    assert plan.seconds_left is not None
    return plan.seconds_left


def test_the_first_start_is_due_at_once(plan: RestartPlan) -> None:
    assert plan.is_due
    assert plan.seconds_left == 0.0


def test_nothing_is_due_while_the_process_runs(plan: RestartPlan, clock: Clock) -> None:
    plan.started()
    clock.now += 3600.0
    assert plan.seconds_left is None
    assert not plan.is_due


def test_a_process_that_ran_well_is_due_at_once(plan: RestartPlan, clock: Clock) -> None:
    assert delay_after(plan, clock, lived=WELL_AFTER_SECONDS) == 0.0
    assert plan.is_due


def test_a_process_that_keeps_dying_waits_twice_as_long_each_time_up_to_a_limit(
    plan: RestartPlan, clock: Clock
) -> None:
    delays = [delay_after(plan, clock, lived=0.5) for _ in range(8)]
    assert delays[:4] == pytest.approx([FIRST_DELAY_SECONDS * 2**each for each in range(4)])
    assert delays[-2:] == [LONGEST_DELAY_SECONDS] * 2


def test_the_delay_passes_with_the_clock(plan: RestartPlan, clock: Clock) -> None:
    delay = delay_after(plan, clock, lived=0.0)
    clock.now += delay / 2
    assert plan.seconds_left == pytest.approx(delay / 2)
    assert not plan.is_due
    clock.now += delay
    assert plan.is_due


def test_one_good_run_ends_the_delays(plan: RestartPlan, clock: Clock) -> None:
    for _ in range(5):
        delay_after(plan, clock, lived=0.0)
    assert delay_after(plan, clock, lived=WELL_AFTER_SECONDS) == 0.0
    assert delay_after(plan, clock, lived=0.0) == pytest.approx(FIRST_DELAY_SECONDS)
