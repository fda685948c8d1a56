"""Durations and moments in whole milliseconds, rounded down."""

from datetime import timedelta

import pytest

from server.core.durations import as_setting, milliseconds, whole_milliseconds


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


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (0.0, 0.0),
        (1795902319.6993916, 1795902319.699),
        (1795902320.0, 1795902320.0),
        (0.9999, 0.999),
    ],
)
def test_a_moment_is_never_later_than_it_was(moment: float, expected: float) -> None:
    assert whole_milliseconds(moment) == expected


@pytest.mark.parametrize("text", ["1500ms", "30s", "15m", "12h", "90m", "0h"])
def test_a_duration_is_written_as_settings_take_it(text: str) -> None:
    units = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours"}
    number = text.rstrip("hms")
    assert as_setting(timedelta(**{units[text[len(number) :]]: int(number)})) == text
