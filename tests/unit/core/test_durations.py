"""Durations in whole milliseconds, rounded down."""

from datetime import timedelta

import pytest

from server.core.durations import milliseconds


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (timedelta(0), 0),
        (timedelta(microseconds=999), 0),
        (timedelta(microseconds=1_001), 1),
        (timedelta(seconds=1.5), 1_500),
        (timedelta(days=90), 7_776_000_000),
    ],
)
def test_a_duration_is_counted_in_whole_milliseconds(duration: timedelta, expected: int) -> None:
    assert milliseconds(duration) == expected
