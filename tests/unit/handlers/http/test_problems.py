"""Problems: what a client learns of an error, and what it never does."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from tornado.web import HTTPError

from handlers.http import account_problems, factor_problems, problems
from handlers.http.problems import (
    MAX_SECONDS_SHOWN,
    TYPE_PREFIX,
    Problem,
    ProblemRaised,
    method_not_allowed,
    problem_of,
    throttled,
    unauthenticated,
)
from handlers.languages.texts import ENGLISH
from server.core.errors import (
    ConfigurationError,
    DataRefused,
    SessionError,
    StoreUnavailable,
    WriteConflict,
)
from server.core.reasons import NoSession, Reason
from server.crypto.passwords import HasherBusy

SECRET = "the text of an exception may hold a secret"
CONSTANTS = [
    each
    for module in (problems, account_problems, factor_problems)
    for each in vars(module).values()
    if isinstance(each, Problem)
]


def test_the_document_has_the_members_of_rfc_9457_and_the_extra_ones() -> None:
    problem = Problem(409, "some-slug", "A title", "A detail", {"more": 1}, {"Allow": "GET"})
    assert problem.as_json() == {
        "type": "/problems/some-slug",
        "title": "A title",
        "status": 409,
        "detail": "A detail",
        "more": 1,
    }


@pytest.mark.parametrize(
    ("error", "slug", "status"),
    [
        (ProblemRaised(problems.NOT_ADMIN), "not-admin", 403),
        (StoreUnavailable("check", SECRET), "unavailable", 503),
        (HasherBusy(), "busy", 503),
        (WriteConflict(SECRET, 3), "write-conflict", 409),
        (DataRefused("It has too many keys."), "data-refused", 413),
        (ConfigurationError(SECRET), "internal", 500),
        (SessionError(SECRET), "internal", 500),
        (RuntimeError(SECRET), "internal", 500),
        (None, "internal", 500),
    ],
)
def test_an_exception_is_told_by_its_kind_and_never_by_its_text(
    error: BaseException | None, slug: str, status: int
) -> None:
    problem = problem_of(error, HTTPStatus.INTERNAL_SERVER_ERROR)
    assert (problem.slug, problem.status) == (slug, status)
    assert SECRET not in str(problem.as_json())


@pytest.mark.parametrize(
    ("status", "slug"),
    [
        (400, "bad-request"),
        (404, "not-found"),
        (405, "method-not-allowed"),
        (413, "request-entity-too-large"),
        (599, "error"),
    ],
)
def test_an_error_of_tornado_is_told_by_its_status(status: int, slug: str) -> None:
    problem = problem_of(HTTPError(status, SECRET), status)
    assert (problem.status, problem.slug) == (status, slug)
    assert SECRET not in str(problem.as_json())


@pytest.mark.parametrize("reason", Reason)
def test_who_has_no_session_is_told_why_it_ended(reason: Reason) -> None:
    problem = unauthenticated(NoSession(reason, "0" * 32, 1.0))
    assert problem.extra == {"reason": reason.value, "event": "0" * 32}
    assert problem.detail == ENGLISH.text(f"reason.{reason}")
    assert problem.status == 401


def test_who_never_had_a_session_is_asked_to_sign_in() -> None:
    problem = unauthenticated(NoSession())
    assert problem.extra == {"reason": "unauthenticated", "event": None}
    assert problem.slug == unauthenticated(NoSession(Reason.LOGOUT)).slug


@pytest.mark.parametrize(
    ("seconds", "header", "case", "count"),
    [
        (0.0, "1", "seconds", 1),
        (0.2, "1", "seconds", 1),
        (1.01, "2", "seconds", 2),
        (MAX_SECONDS_SHOWN, "120", "seconds", 120),
        (MAX_SECONDS_SHOWN + 0.5, "121", "minutes", 3),
        (3600, "3600", "minutes", 60),
    ],
)
def test_a_wait_is_rounded_up_and_long_ones_are_shown_in_minutes(
    seconds: float, header: str, case: str, count: int
) -> None:
    problem = throttled(timedelta(seconds=seconds))
    assert problem.headers == {"Retry-After": header}
    assert (problem.case, problem.count) == (case, count)


def test_who_comes_with_another_method_learns_the_allowed_ones() -> None:
    problem = method_not_allowed(["GET", "HEAD"])
    assert problem.headers == {"Allow": "GET, HEAD"}
    assert "GET, HEAD" in problem.detail


def test_a_raised_problem_carries_its_status() -> None:
    assert ProblemRaised(problems.BODY_TOO_LARGE).status_code == 413


@pytest.mark.parametrize("problem", CONSTANTS, ids=lambda problem: problem.slug)
def test_every_problem_is_whole(problem: Problem) -> None:
    assert 400 <= problem.status <= 599
    assert (TYPE_PREFIX + problem.slug).isascii()
    assert problem.slug == problem.slug.lower().replace("_", "-")
    assert problem.title
    assert problem.detail.endswith(".")


def test_no_two_problems_have_one_type() -> None:
    slugs = [problem.slug for problem in CONSTANTS]
    assert len(slugs) > 30
    assert len(set(slugs)) == len(slugs)
