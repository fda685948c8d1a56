"""What acts answer, as problems: every outcome has one, and no two tell the same by chance."""

from datetime import timedelta
from typing import get_args

import pytest

from handlers.http import account_problems, problems
from handlers.http.outcomes import DENIALS, NOT_ADDED, problem_of_outcome, require_done
from handlers.http.problems import ProblemRaised
from server.accounts.outcomes import (
    Denial,
    NameTaken,
    NotAdded,
    NotDone,
    NotRenamed,
    NotSignedUp,
    PasswordNotChanged,
    SecondFactorMissing,
    SecondFactorOwed,
)
from server.core.credentials import BadPassword, BadUsername
from server.core.factor_policy import TooManyTries
from server.core.factors import Method
from server.core.throttling import CounterKind, Throttled
from server.sessions.creation import SignInInterrupted

OUTCOMES: list[tuple[NotDone, int, str]] = [
    (Denial.WRONG_CREDENTIALS, 401, "wrong-credentials"),
    (NotAdded.WRONG_CODE, 403, "wrong-code"),
    (NotRenamed(NameTaken()), 409, "name-taken"),
    (NotSignedUp(NameTaken()), 409, "name-taken"),
    (NotSignedUp(BadUsername("length", "Too long.")), 400, "bad-username"),
    (NotSignedUp(BadPassword("too_short", "Too short.")), 400, "bad-password"),
    (PasswordNotChanged(BadPassword("too_short", "Too short.")), 400, "bad-password"),
    (SecondFactorOwed((Method.TOTP,), "sealed"), 401, "second-factor-required"),
    (SecondFactorMissing((Method.TOTP,)), 403, "second-factor-required"),
    (SignInInterrupted(), 409, "sign-in-interrupted"),
    (Throttled(timedelta(seconds=7), CounterKind.ACCOUNT), 429, "throttled"),
    (TooManyTries(7.0), 429, "throttled"),
]


@pytest.mark.parametrize(("outcome", "status", "slug"), OUTCOMES)
def test_an_outcome_has_its_status_and_its_type(outcome: NotDone, status: int, slug: str) -> None:
    problem = problem_of_outcome(outcome)
    assert (problem.status, problem.slug) == (status, slug)


def test_no_kind_of_outcome_is_left_out() -> None:
    assert {type(outcome) for outcome, _, _ in OUTCOMES} == set(get_args(NotDone))


@pytest.mark.parametrize("denial", Denial)
def test_every_denial_has_a_problem(denial: Denial) -> None:
    assert problem_of_outcome(denial) is DENIALS[denial]


@pytest.mark.parametrize("why", NotAdded)
def test_every_second_factor_that_was_not_added_has_a_problem(why: NotAdded) -> None:
    assert problem_of_outcome(why) is NOT_ADDED[why]


@pytest.mark.parametrize("mapping", [DENIALS, NOT_ADDED])
def test_no_two_outcomes_of_a_kind_are_told_alike(mapping: dict[object, problems.Problem]) -> None:
    slugs = [problem.slug for problem in mapping.values()]
    assert len(set(slugs)) == len(slugs)


def test_a_refusal_says_which_rule_a_name_or_a_password_breaks() -> None:
    name = problem_of_outcome(NotSignedUp(BadUsername("length", "Too long.")))
    password = problem_of_outcome(PasswordNotChanged(BadPassword("too_short", "Too short.")))
    assert (name.case, name.detail, name.title) == (
        "length",
        "Too long.",
        account_problems.NO_ACCOUNT_MADE,
    )
    assert (password.case, password.detail) == ("too_short", "Too short.")
    assert password.title != account_problems.NO_ACCOUNT_MADE


def test_a_second_factor_is_asked_for_with_its_methods_and_at_sign_in_with_the_challenge() -> None:
    methods = (Method.TOTP, Method.PASSKEY)
    owed = problem_of_outcome(SecondFactorOwed(methods, "sealed"))
    missing = problem_of_outcome(SecondFactorMissing(methods))
    assert owed.extra == {"methods": ["totp", "passkey"], "challenge": "sealed"}
    assert missing.extra == {"methods": ["totp", "passkey"]}


@pytest.mark.parametrize(
    "outcome", [Throttled(timedelta(seconds=90), CounterKind.ADDRESS), TooManyTries(90.0)]
)
def test_a_wait_is_told_in_the_header_whoever_demands_it(outcome: NotDone) -> None:
    assert problem_of_outcome(outcome).headers == {"Retry-After": "90"}


def test_what_was_done_is_handed_on() -> None:
    done: object | NotDone = "done"
    assert require_done(done) == "done"


@pytest.mark.parametrize(("outcome", "status", "slug"), OUTCOMES)
def test_what_was_not_done_ends_the_request(outcome: NotDone, status: int, slug: str) -> None:
    with pytest.raises(ProblemRaised) as raised:
        require_done(outcome)
    assert (raised.value.status_code, raised.value.problem.slug) == (status, slug)
