"""Every row of the policy's table by example, and the order of the rows."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from server.core import policy
from server.core.policy import Accept, End, Refusal, Refuse, Verdict
from server.core.reasons import Reason
from server.core.session import Rules, Session, deadlines
from server.core.token import issue_token
from tests.support.engine.browsing import SEED, SID, new_session, token

GRACE: Final = 30.0
INTERVAL: Final = 900.0
IDLE: Final = 1800.0
ABSOLUTE: Final = 43200.0
BORN: Final = 1_000_000.0
RULES: Final = Rules(
    idle_timeout=timedelta(seconds=IDLE),
    absolute_timeout=timedelta(seconds=ABSOLUTE),
    rotation_interval=timedelta(seconds=INTERVAL),
    rotation_grace=timedelta(seconds=GRACE),
    touch_interval=timedelta(seconds=30),
)
FORGED: Final = Refuse(Refusal.FORGED)
OVERTAKEN: Final = Refuse(Refusal.OVERTAKEN)
THEFT: Final = End(Reason.TOKEN_REUSE)


def judged(session: Session, number: int, at: float, *, may_rotate: bool = True) -> Verdict:
    """The verdict on the genuine token of a number, `at` seconds after the session began."""
    return policy.evaluate(session, token(number), BORN + at, RULES, may_rotate=may_rotate)


def served(session: Session, number: int, at: float, *, may_rotate: bool = True) -> Accept:
    """The same, where it must be accepted."""
    verdict = judged(session, number, at, may_rotate=may_rotate)
    assert isinstance(verdict, Accept)
    return verdict


@pytest.fixture
def session() -> Session:
    """Just begun, with token 1, and active all the time."""
    return new_session(BORN, last_active_at=BORN + INTERVAL)


@pytest.fixture
def rotated(session: Session) -> Session:
    """Token 2 was handed out when rotation was due, and came back a second later."""
    return served(served(session, 1, INTERVAL).session, 2, INTERVAL + 1).session


@pytest.fixture
def elevated(rotated: Session) -> Session:
    """The password was proved two seconds after that: token 3."""
    return policy.elevate(rotated, BORN + INTERVAL + 3).session


# Row 1.
def test_a_secret_of_another_number_session_or_seed_is_forged(session: Session) -> None:
    other_number = replace(token(1), secret=token(2).secret)
    other_seed = issue_token(SID, SEED[::-1], 1)
    for presented in (other_number, other_seed):
        assert policy.evaluate(session, presented, BORN + 1, RULES) == FORGED


# Row 6, of a record that was set back.
def test_a_later_number_than_the_record_knows_catches_it_up(session: Session) -> None:
    caught_up = served(session, 7, 10)
    assert (caught_up.session.generation, caught_up.session.issued) == (7, 7)
    assert (caught_up.changed, caught_up.token, caught_up.issued) == (True, None, None)
    assert served(caught_up.session, 7, INTERVAL + 10).token == token(8)


def test_what_was_used_since_the_record_was_set_back_is_theft_after_the_grace(
    session: Session,
) -> None:
    used = served(served(session, 1, INTERVAL).session, 2, INTERVAL + 1).session
    caught_up = served(used, 7, INTERVAL + 5).session
    for number in (2, 3, 6):
        assert isinstance(judged(caught_up, number, INTERVAL + 5 + GRACE - 1), Accept)
        assert judged(caught_up, number, INTERVAL + 5 + GRACE) == THEFT


# Rows 2 and 3.
@pytest.mark.proves("7.3.1")
def test_the_idle_timeout_ends_at_its_second_and_not_before(session: Session) -> None:
    assert isinstance(judged(session, 1, INTERVAL + IDLE - 0.001), Accept)
    assert judged(session, 1, INTERVAL + IDLE) == End(Reason.IDLE_TIMEOUT)


@pytest.mark.proves("7.3.2")
def test_the_absolute_timeout_ends_at_its_second_and_not_before(session: Session) -> None:
    active = replace(session, last_active_at=BORN + ABSOLUTE - 1)
    assert isinstance(judged(active, 1, ABSOLUTE - 0.001), Accept)
    assert judged(active, 1, ABSOLUTE) == End(Reason.ABSOLUTE_TIMEOUT)


# Row 4.
def test_a_change_of_privilege_refuses_older_tokens_until_the_new_one_came_back(
    elevated: Session,
) -> None:
    for number in (1, 2):
        assert judged(elevated, number, INTERVAL + IDLE - 1) == OVERTAKEN
    used = served(elevated, 3, INTERVAL + 10).session
    for number in (1, 2):
        assert judged(used, number, INTERVAL + 10 + GRACE - 0.001) == OVERTAKEN
        assert judged(used, number, INTERVAL + 10 + GRACE) == THEFT


def test_using_the_new_token_again_does_not_prolong_the_refusal(elevated: Session) -> None:
    used = served(elevated, 3, INTERVAL + 10).session
    again = served(used, 3, INTERVAL + 30).session
    assert judged(again, 2, INTERVAL + 10 + GRACE) == THEFT


def test_a_second_change_of_privilege_refuses_again(elevated: Session) -> None:
    used = served(elevated, 3, INTERVAL + 10).session
    twice = policy.elevate(used, BORN + INTERVAL + 20).session
    assert judged(twice, 2, INTERVAL + 100) == judged(twice, 3, INTERVAL + 100) == OVERTAKEN
    assert isinstance(judged(twice, 4, INTERVAL + 100), Accept)


# Row 5.
def test_the_current_token_is_served_without_a_write(session: Session) -> None:
    assert judged(session, 1, INTERVAL - 1) == Accept(session)


def test_activity_is_written_once_per_touch_interval(session: Session) -> None:
    active = replace(session, last_active_at=BORN)
    assert judged(active, 1, 29.999) == Accept(active)
    touched = served(active, 1, 30)
    assert touched == Accept(replace(active, last_active_at=BORN + 30), changed=True)
    assert not served(touched.session, 1, 59).changed


def test_a_request_that_nobody_is_behind_moves_no_deadline(
    session: Session, rotated: Session
) -> None:
    long_after = INTERVAL - 1
    for found, number, at in (
        (replace(session, last_active_at=BORN), 1, long_after),
        (replace(rotated, last_active_at=BORN), 1, INTERVAL + 5),
        (replace(served(session, 1, INTERVAL).session, last_active_at=BORN), 2, INTERVAL + 1),
    ):
        verdict = policy.evaluate(found, token(number), BORN + at, RULES, is_activity=False)
        assert isinstance(verdict, Accept)
        assert verdict.session.last_active_at == BORN
        by_a_person = served(found, number, at)
        assert by_a_person.session.last_active_at == BORN + at


def test_a_short_idle_timeout_shortens_the_touch_interval(session: Session) -> None:
    short = replace(RULES, idle_timeout=timedelta(seconds=20))
    active = replace(session, last_active_at=BORN)
    for at, changed in ((1.999, False), (2, True)):
        verdict = policy.evaluate(active, token(1), BORN + at, short)
        assert isinstance(verdict, Accept)
        assert verdict.changed is changed


@pytest.mark.proves("A22", "A17")
def test_when_rotation_is_due_every_parallel_request_gets_the_same_successor(
    session: Session,
) -> None:
    assert served(session, 1, INTERVAL - 0.001).token is None
    first = served(session, 1, INTERVAL)
    assert (first.token, first.issued, first.changed) == (token(2), 2, True)
    assert first.session.generation == 1
    for at in (0, 1, GRACE - 0.001):
        again = served(first.session, 1, INTERVAL + at)
        assert (again.token, again.issued) == (token(2), None)


@pytest.mark.proves("A22")
def test_a_successor_that_never_came_back_is_followed_once_late_replies_are_over(
    session: Session,
) -> None:
    lost = served(session, 1, INTERVAL).session
    for at in (GRACE, 2 * GRACE - 0.001):
        assert served(lost, 1, INTERVAL + at).token is None
    followed = served(lost, 1, INTERVAL + 2 * GRACE)
    assert (followed.token, followed.issued) == (token(3), 3)


def test_a_handshake_is_handed_no_token_and_causes_no_rotation(session: Session) -> None:
    assert judged(session, 1, INTERVAL, may_rotate=False) == Accept(session)
    issued = served(session, 1, INTERVAL).session
    assert served(issued, 1, INTERVAL + 1, may_rotate=False).token is None


# Row 6.
def test_the_successor_becomes_current_when_it_is_used(session: Session) -> None:
    issued = served(session, 1, INTERVAL).session
    promoted = served(issued, 2, INTERVAL + 20)
    assert promoted.changed
    assert (promoted.token, promoted.issued) == (None, None)
    assert promoted.session.generation == 2
    assert promoted.session.last_active_at == BORN + INTERVAL + 20
    assert deadlines(promoted.session, RULES).absolute_expires_at == BORN + ABSOLUTE
    assert served(promoted.session, 2, 2 * INTERVAL + 19.999).token is None
    assert served(promoted.session, 2, 2 * INTERVAL + 20).token == token(3)


def test_a_successor_that_came_late_may_still_be_used(session: Session) -> None:
    lost = served(session, 1, INTERVAL).session
    followed = served(lost, 1, INTERVAL + 2 * GRACE).session
    late = served(followed, 2, INTERVAL + 2 * GRACE + 1).session
    assert late.generation == 2
    assert served(late, 3, INTERVAL + 2 * GRACE + 2).session.generation == 3


def test_a_handshake_promotes_too(session: Session) -> None:
    issued = served(session, 1, INTERVAL).session
    assert served(issued, 2, INTERVAL + 1, may_rotate=False).session.generation == 2


# Rows 7 and 8.
def test_the_previous_token_is_served_inside_the_grace_and_is_theft_after_it(
    rotated: Session,
) -> None:
    inside = served(rotated, 1, INTERVAL + 1 + GRACE - 0.001)
    assert (inside.token, inside.issued) == (None, None)
    assert inside.session.generation == 2
    assert judged(rotated, 1, INTERVAL + 1 + GRACE) == THEFT


def test_nothing_that_comes_late_stretches_the_grace(rotated: Session) -> None:
    late = served(rotated, 1, INTERVAL + GRACE).session
    late = served(late, 2, INTERVAL + GRACE).session
    assert judged(late, 1, INTERVAL + 1 + GRACE) == THEFT


def test_a_number_that_was_skipped_is_previous_and_then_theft(session: Session) -> None:
    lost = served(session, 1, INTERVAL).session
    followed = served(lost, 1, INTERVAL + 2 * GRACE).session
    promoted = served(followed, 3, INTERVAL + 70).session
    for number in (1, 2):
        assert isinstance(judged(promoted, number, INTERVAL + 70 + GRACE - 0.001), Accept)
        assert judged(promoted, number, INTERVAL + 70 + GRACE) == THEFT


@pytest.mark.proves("A21")
def test_each_token_keeps_its_whole_grace_when_promotions_follow_quickly(
    rotated: Session,
) -> None:
    at = INTERVAL + 1 + GRACE  # the table has settled
    first = policy.rotate(served(rotated, 2, at).session, BORN + at, RULES).session
    first = served(first, 3, at + 1).session
    second = policy.rotate(first, BORN + at + 2, RULES)
    assert second.token == token(4)
    session = served(second.session, 4, at + 3).session
    assert isinstance(judged(session, 2, at + 1 + GRACE - 0.001), Accept)
    assert judged(session, 2, at + 1 + GRACE) == THEFT
    assert isinstance(judged(session, 3, at + 3 + GRACE - 0.001), Accept)
    assert judged(session, 3, at + 3 + GRACE) == THEFT
    assert judged(session, 1, at + 4) == THEFT


# The order of the rows.
def test_forged_comes_before_the_timeouts(session: Session) -> None:
    forged = replace(token(1), secret=token(2).secret)
    assert policy.evaluate(session, forged, BORN + ABSOLUTE + 1, RULES) == FORGED


def test_the_absolute_timeout_comes_before_the_idle_one(session: Session) -> None:
    assert judged(session, 1, ABSOLUTE) == End(Reason.ABSOLUTE_TIMEOUT)


def test_the_timeouts_come_before_overtaken_and_theft(elevated: Session, rotated: Session) -> None:
    past = INTERVAL + 3 + IDLE
    assert judged(elevated, 1, past) == judged(rotated, 1, past) == End(Reason.IDLE_TIMEOUT)
    assert judged(rotated, 2, past) == End(Reason.IDLE_TIMEOUT)


def test_overtaken_comes_before_the_grace_of_a_rotation(elevated: Session) -> None:
    assert judged(elevated, 1, INTERVAL + 4) == OVERTAKEN
