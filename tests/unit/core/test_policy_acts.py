"""What changes a session besides a token: rotating on request, reauthenticating, activity."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from server.core import policy
from server.core.policy import Accept, End, Refusal, Refuse
from server.core.reasons import Reason
from server.core.session import Rules, Session, deadlines, is_recently_authenticated
from tests.support.engine.browsing import new_session, token

GRACE: Final = 30.0
INTERVAL: Final = 900.0
BORN: Final = 1_000_000.0
RULES: Final = Rules(
    idle_timeout=timedelta(minutes=30),
    absolute_timeout=timedelta(hours=12),
    rotation_interval=timedelta(seconds=INTERVAL),
    rotation_grace=timedelta(seconds=GRACE),
    touch_interval=timedelta(seconds=30),
    reauthentication_window=timedelta(minutes=5),
)


@pytest.fixture
def session() -> Session:
    """Just begun, with token 1."""
    return new_session(BORN)


def rotated(session: Session, at: float) -> Accept:
    """What rotating on request answers `at` seconds after the session began."""
    return policy.rotate(session, BORN + at, RULES)


def served(session: Session, number: int, at: float) -> Accept:
    """A genuine token that must be accepted."""
    verdict = policy.evaluate(session, token(number), BORN + at, RULES)
    assert isinstance(verdict, Accept)
    return verdict


def test_rotating_on_request_hands_out_the_next_number_at_once(session: Session) -> None:
    first = rotated(session, 1)
    assert (first.token, first.issued, first.changed) == (token(2), 2, True)
    assert first.session.generation == 1
    assert deadlines(first.session, RULES) == deadlines(session, RULES)


def test_rotating_again_before_it_came_back_is_the_same_number(session: Session) -> None:
    again = rotated(rotated(session, 1).session, 1 + GRACE - 0.001)
    assert (again.token, again.issued) == (token(2), None)


def test_rotating_again_when_the_reply_was_lost_is_the_next_number(session: Session) -> None:
    later = rotated(rotated(session, 1).session, 1 + GRACE)
    assert (later.token, later.issued) == (token(3), 3)


def test_rotating_again_when_it_came_back_is_the_next_number(session: Session) -> None:
    used = served(rotated(session, 1).session, 2, 2).session
    assert rotated(used, 3).token == token(3)


def test_a_rotation_of_its_own_accord_is_the_answer_while_it_has_not_settled(
    session: Session,
) -> None:
    due = served(session, 1, INTERVAL).session
    assert rotated(due, INTERVAL + 1).token == token(2)
    assert rotated(due, INTERVAL + GRACE) == Accept(due)
    used = served(due, 2, INTERVAL + 5).session
    assert rotated(used, INTERVAL + 5 + GRACE - 0.001) == Accept(used)
    assert rotated(used, INTERVAL + 5 + GRACE).token == token(3)


def test_a_rotation_on_request_that_was_handed_to_others_has_to_settle_too(
    session: Session,
) -> None:
    asked = rotated(session, INTERVAL).session
    shared = served(asked, 1, INTERVAL + GRACE - 1)
    assert shared.token == token(2)
    used = served(shared.session, 2, INTERVAL + GRACE).session
    assert rotated(used, INTERVAL + 2 * GRACE - 0.001) == Accept(used)
    assert rotated(used, INTERVAL + 2 * GRACE).token == token(3)


def test_a_client_that_rotates_without_end_does_not_swell_the_record(session: Session) -> None:
    for step in range(1000):
        session = rotated(session, step / 100).session
        session = served(session, session.issued, step / 100).session
    assert len(repr(session)) < 5000
    assert rotated(session, 10 + GRACE).issued == session.issued + 1


def test_the_record_keeps_nothing_of_rotations_that_are_over(session: Session) -> None:
    sizes = []
    for step in range(1, 40):
        session = rotated(session, 2 * GRACE * step).session
        session = served(session, session.issued, 2 * GRACE * step).session
        sizes.append(len(repr(session)))
    assert sizes[-1] - sizes[0] < 10  # longer numbers


def test_proving_the_password_makes_the_next_number_current_at_once(session: Session) -> None:
    elevated = policy.elevate(session, BORN + 100)
    assert (elevated.token, elevated.issued, elevated.changed) == (token(2), 2, True)
    assert elevated.session.generation == 2
    assert is_recently_authenticated(elevated.session, BORN + 399.999, RULES)
    assert not is_recently_authenticated(elevated.session, BORN + 400, RULES)


def test_what_was_proved_by_two_factors_stays_so_when_one_is_proved_again(session: Session) -> None:
    once = policy.elevate(session, BORN + 1).session
    assert not once.two_factors
    twice = policy.elevate(once, BORN + 2, two_factors=True).session
    assert twice.two_factors
    assert policy.elevate(twice, BORN + 3).session.two_factors


def test_a_change_of_what_protects_the_account_says_how_its_person_is_proved(
    session: Session,
) -> None:
    more = policy.renew(session, BORN + 1, two_factors=True)
    assert (more.token, more.session.two_factors) == (token(2), True)
    less = policy.renew(more.session, BORN + 2, two_factors=False)
    assert (less.token, less.session.two_factors) == (token(3), False)
    assert less.session.authenticated_at == session.authenticated_at


def test_what_lost_its_second_factor_is_written_once_and_keeps_its_token(session: Session) -> None:
    proved = replace(session, two_factors=True)
    assert policy.by_one_factor(proved) == Accept(session, changed=True)
    assert policy.by_one_factor(session) == Accept(session)


def test_proving_the_password_is_activity_and_moves_no_absolute_deadline(session: Session) -> None:
    before = deadlines(session, RULES)
    after = deadlines(policy.elevate(session, BORN + 100).session, RULES)
    assert after.idle_expires_at == before.idle_expires_at + 100
    assert after.absolute_expires_at == before.absolute_expires_at


def test_proving_the_password_overtakes_what_was_handed_out_and_not_used(session: Session) -> None:
    due = served(session, 1, INTERVAL).session
    elevated = policy.elevate(due, BORN + INTERVAL + 1).session
    assert elevated.generation == 3
    for number in (1, 2):
        verdict = policy.evaluate(elevated, token(number), BORN + INTERVAL + 2, RULES)
        assert verdict == Refuse(Refusal.OVERTAKEN)


def test_nothing_has_to_settle_after_a_change_of_privilege(session: Session) -> None:
    due = served(session, 1, INTERVAL).session
    elevated = policy.elevate(due, BORN + INTERVAL + 1).session
    assert rotated(elevated, INTERVAL + 2).token == token(4)


def test_rotation_goes_on_after_a_change_of_privilege(session: Session) -> None:
    elevated = policy.elevate(session, BORN + 100).session
    assert served(elevated, 2, 100 + INTERVAL).token == token(3)


def test_a_number_handed_out_after_a_change_of_privilege_proves_that_its_token_came_back(
    session: Session,
) -> None:
    elevated = policy.elevate(session, BORN + 100).session
    handed = rotated(elevated, 101).session
    used = served(handed, 3, 102).session
    verdict = policy.evaluate(used, token(1), BORN + 102 + GRACE, RULES)
    assert verdict == End(Reason.TOKEN_REUSE)


def test_activity_on_a_socket_moves_the_idle_deadline_once_per_interval(session: Session) -> None:
    assert policy.touch(session, BORN + 29.999, RULES) == Accept(session)
    moved = replace(session, last_active_at=BORN + 30)
    assert policy.touch(session, BORN + 30, RULES) == Accept(moved, changed=True)


def test_activity_on_a_socket_revives_nothing(session: Session) -> None:
    assert policy.touch(session, BORN + 1800, RULES) == End(Reason.IDLE_TIMEOUT)
    active = replace(session, last_active_at=BORN + 43199)
    assert policy.touch(active, BORN + 43200, RULES) == End(Reason.ABSOLUTE_TIMEOUT)
