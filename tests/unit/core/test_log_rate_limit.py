"""How many lines a log takes of a flood, and what it says of the rest."""

import pytest

from server.core.log_rate_limit import BURST, MAX_KINDS, TELL_EVERY, LogRateLimit

FLOOD_SECONDS = 60
PER_SECOND = 10_000


@pytest.mark.proves("16.4.2")
def test_a_flood_writes_a_burst_and_then_one_line_a_second() -> None:
    allowance = LogRateLimit(0.0)
    times = (number / PER_SECOND for number in range(FLOOD_SECONDS * PER_SECOND))
    written = sum(allowance.allows("cookie", at) for at in times)
    assert written == BURST + FLOOD_SECONDS - 1


def test_what_was_left_out_is_counted_to_the_last_line() -> None:
    allowance = LogRateLimit(0.0)
    written = sum(allowance.allows("cookie", 0.0) for _ in range(1000))
    assert allowance.pop_left_out(TELL_EVERY) == {"cookie": 1000 - written}


def test_it_is_told_once_and_not_all_the_time() -> None:
    allowance = LogRateLimit(0.0)
    for _ in range(BURST + 5):
        allowance.allows("cookie", 0.0)
    assert allowance.pop_left_out(TELL_EVERY - 0.1) == {}
    assert allowance.pop_left_out(TELL_EVERY) == {"cookie": 5}
    assert allowance.pop_left_out(2 * TELL_EVERY) == {}
    assert not allowance.allows("cookie", 0.5)
    assert allowance.pop_left_out(2 * TELL_EVERY + 0.1) == {}
    assert allowance.pop_left_out(2 * TELL_EVERY + 0.1, closing=True) == {"cookie": 1}


def test_one_kind_takes_nothing_from_another() -> None:
    allowance = LogRateLimit(0.0)
    for _ in range(5 * BURST):
        allowance.allows("cookie", 0.0)
    assert allowance.allows("origin", 0.0)


def test_quiet_gives_the_burst_back_and_no_more() -> None:
    allowance = LogRateLimit(0.0)
    for _ in range(5 * BURST):
        allowance.allows("cookie", 0.0)
    assert sum(allowance.allows("cookie", 86_400.0) for _ in range(5 * BURST)) == BURST


def test_many_kinds_take_bounded_memory_and_lose_no_count() -> None:
    allowance = LogRateLimit(0.0)
    for _ in range(BURST + 7):
        allowance.allows("first", 0.0)
    for number in range(3 * MAX_KINDS):
        assert allowance.allows(f"kind {number}", 0.0)
    assert len(allowance._buckets) == MAX_KINDS
    for _ in range(BURST + 2):
        allowance.allows("first", 0.0)
    assert allowance.pop_left_out(TELL_EVERY) == {"first": 9}
