"""Sockets go to the nodes that stay no faster than these can take them."""

from datetime import timedelta

import pytest

from server.core.pacing import WINDOW, Pace, pace_of

LONGEST = timedelta(seconds=45)


@pytest.mark.parametrize(
    ("sockets", "stopping", "staying", "at_once"),
    [
        (8000, 1, 1, 1000),
        (8000, 1, 4, 4000),
        (8000, 2, 1, 889),  # its half of the rate is 500; the limit on the time goes before
        (100, 1, 1, 1000),
        (0, 1, 1, 1000),
        (90_000, 1, 1, 10_000),
    ],
)
def test_as_many_go_at_once_as_the_others_take_in_a_window(
    sockets: int, stopping: int, staying: int, at_once: int
) -> None:
    pace = pace_of(sockets, stopping=stopping, staying=staying, rate=200, longest=LONGEST)
    assert pace == Pace(at_once, WINDOW)


@pytest.mark.parametrize(
    ("sockets", "seconds"), [(0, 5), (100, 5), (1000, 5), (4000, 20), (100_000, 45)]
)
def test_if_nobody_stays_all_go_at_once_and_come_back_over_the_time_that_they_take(
    sockets: int, seconds: int
) -> None:
    pace = pace_of(sockets, stopping=4, staying=0, rate=200, longest=LONGEST)
    assert pace == Pace(max(1, sockets), timedelta(seconds=seconds))


def test_a_limit_below_a_window_lets_all_go_at_once() -> None:
    shortest = timedelta(milliseconds=1)
    assert pace_of(8000, stopping=1, staying=1, rate=200, longest=shortest).at_once == 8000
    assert pace_of(8000, stopping=1, staying=0, rate=200, longest=shortest) == Pace(8000, WINDOW)


def test_a_slow_rate_still_closes_one() -> None:
    pace = pace_of(2, stopping=64, staying=1, rate=1, longest=LONGEST)
    assert pace == Pace(1, WINDOW)
