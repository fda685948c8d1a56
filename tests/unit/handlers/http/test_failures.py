"""Failures in the log: loud where we are at fault, silent where a client was refused."""

import logging
from collections.abc import Iterator

import pytest
from tornado.web import HTTPError

from handlers.http.failures import MalformedRequestRedaction, log_failure
from handlers.http.problems import NOT_ADMIN, UNAVAILABLE, ProblemRaised
from server.core.errors import StoreUnavailable, WriteConflict

Captured = pytest.LogCaptureFixture


@pytest.mark.parametrize(
    "error", [ProblemRaised(NOT_ADMIN), ProblemRaised(UNAVAILABLE), HTTPError(405), HTTPError(499)]
)
def test_a_refusal_is_not_logged(caplog: Captured, error: BaseException) -> None:
    log_failure(error, "/api/session")
    assert not caplog.records


@pytest.mark.parametrize(
    "error", [StoreUnavailable("check", "TimeoutError"), WriteConflict("s", 3)]
)
def test_a_failure_of_the_engine_is_a_warning_without_a_traceback(
    caplog: Captured, error: BaseException
) -> None:
    log_failure(error, "/api/session")
    (record,) = caplog.records
    assert (record.levelno, record.exc_info) == (logging.WARNING, None)
    assert record.getMessage() == str(error)
    assert vars(record)["path"] == "/api/session"


@pytest.mark.parametrize("error", [RuntimeError("?"), HTTPError(500), None])
def test_anything_else_is_an_error_with_its_traceback(
    caplog: Captured, error: BaseException | None
) -> None:
    log_failure(error, "/api/session")
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.ERROR, "unexpected error")
    assert error is None or (record.exc_info and record.exc_info[1] is error)


@pytest.fixture
def redacted() -> Iterator[logging.Logger]:
    """A log that the filter hangs on, as on Tornado's."""
    log, redaction = logging.getLogger("tests.redacted"), MalformedRequestRedaction()
    log.addFilter(redaction)
    yield log
    log.removeFilter(redaction)


def test_a_line_on_a_malformed_request_quotes_nothing_of_it(
    caplog: Captured, redacted: logging.Logger
) -> None:
    redacted.warning("Malformed HTTP message from %s: %s", "192.0.2.1", "Cookie: secret")
    assert caplog.messages == ["malformed HTTP message from 192.0.2.1"]


def test_other_lines_are_left_alone(caplog: Captured, redacted: logging.Logger) -> None:
    redacted.warning("Closed %s", "192.0.2.1")
    assert caplog.messages == ["Closed 192.0.2.1"]
