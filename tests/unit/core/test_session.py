"""The record's arithmetic: one formula for deadlines, the warning, the windows."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from server.core.reasons import Reason
from server.core.session import (
    Deadlines,
    Rules,
    deadlines,
    is_recently_authenticated,
    owes_second_factor,
    warning_time,
)
from tests.support.engine.browsing import new_session

BORN: Final = 1_000_000.0
RULES: Final = Rules(
    idle_timeout=timedelta(minutes=30),
    absolute_timeout=timedelta(hours=12),
    reauthentication_window=timedelta(minutes=5),
)


def test_the_idle_deadline_counts_from_activity_and_the_absolute_one_from_birth() -> None:
    session = new_session(BORN, last_active_at=BORN + 600)
    assert deadlines(session, RULES) == Deadlines(BORN + 600 + 1800, BORN + 43200)


def test_who_is_remembered_has_timeouts_of_their_own() -> None:
    rules = replace(
        RULES,
        remember_idle_timeout=timedelta(days=2),
        remember_absolute_timeout=timedelta(days=5),
    )
    session = new_session(BORN, last_active_at=BORN + 600)
    ordinary = Deadlines(BORN + 600 + 1800, BORN + 43200)
    assert deadlines(replace(session, remember=False), rules) == ordinary
    remembered = deadlines(replace(session, remember=True), rules)
    assert remembered == Deadlines(BORN + 600 + 172800, BORN + 432000)


def test_the_shortest_timeouts_decide_how_often_and_how_early() -> None:
    rules = replace(RULES, remember_idle_timeout=timedelta(seconds=10))
    assert rules.effective_touch_interval == timedelta(seconds=1)
    assert warning_time(rules) == timedelta(seconds=2)


def test_no_activity_carries_the_idle_deadline_past_the_absolute_one() -> None:
    session = new_session(BORN, last_active_at=BORN + 43000)
    assert deadlines(session, RULES) == Deadlines(BORN + 43200, BORN + 43200)


def test_the_earlier_deadline_is_when_the_session_expires() -> None:
    assert Deadlines(5.0, 9.0).expires_at == 5.0
    assert Deadlines(9.0, 9.0).expires_at == 9.0


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (4.999, None),
        (5.0, Reason.IDLE_TIMEOUT),
        (8.999, Reason.IDLE_TIMEOUT),
        (9.0, Reason.ABSOLUTE_TIMEOUT),
    ],
)
def test_a_deadline_is_passed_at_its_own_second(now: float, reason: Reason | None) -> None:
    assert Deadlines(5.0, 9.0).timeout_at(now) == reason


def test_the_next_reason_is_the_one_of_the_earlier_deadline() -> None:
    assert Deadlines(5.0, 9.0).next_reason is Reason.IDLE_TIMEOUT
    assert Deadlines(9.0, 9.0).next_reason is Reason.ABSOLUTE_TIMEOUT


def test_where_both_meet_the_absolute_one_is_told() -> None:
    assert Deadlines(9.0, 9.0).timeout_at(9.0) is Reason.ABSOLUTE_TIMEOUT


@pytest.mark.parametrize(
    ("idle", "absolute", "warning"),
    [("30m", "12h", 120.0), ("5m", "12h", 60.0), ("30m", "1m", 12.0), ("10s", "20s", 2.0)],
)
def test_the_warning_is_two_minutes_or_a_fifth(idle: str, absolute: str, warning: float) -> None:
    units = {"s": 1, "m": 60, "h": 3600}
    idle_seconds, absolute_seconds = (
        timedelta(seconds=int(text[:-1]) * units[text[-1]]) for text in (idle, absolute)
    )
    rules = Rules(idle_timeout=idle_seconds, absolute_timeout=absolute_seconds)
    assert warning_time(rules).total_seconds() == warning


def test_the_touch_interval_is_at_most_a_tenth_of_the_idle_timeout() -> None:
    asked = Rules(touch_interval=timedelta(seconds=30))
    assert asked.effective_touch_interval == timedelta(seconds=30)
    short = replace(asked, idle_timeout=timedelta(seconds=40))
    assert short.effective_touch_interval == timedelta(seconds=4)


def test_the_password_counts_as_recent_inside_the_window() -> None:
    session = new_session(BORN, authenticated_at=BORN + 10)
    assert is_recently_authenticated(session, BORN + 309.999, RULES)
    assert not is_recently_authenticated(session, BORN + 310, RULES)


def test_an_anonymous_visitor_never_proved_a_password() -> None:
    session = new_session(BORN, user=None, authenticated_at=None)
    assert not is_recently_authenticated(session, BORN, RULES)


def test_a_second_factor_is_owed_by_who_proved_one_where_two_are_required() -> None:
    required = replace(RULES, second_factor_required=True)
    session = new_session(BORN)
    assert owes_second_factor(session, required)
    assert not owes_second_factor(session, RULES)
    assert not owes_second_factor(replace(session, two_factors=True), required)
    assert not owes_second_factor(replace(session, user=None), required)


def test_repr_shows_neither_seed_nor_data() -> None:
    shown = repr(new_session(BORN, seed=b"s" * 32, data={"note": "private"}))
    assert "ssss" not in shown
    assert "private" not in shown
