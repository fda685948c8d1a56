"""What ended a request, as the log is told it."""

import logging
from http import HTTPStatus

from tornado.web import HTTPError

from handlers.problems import ProblemRaised
from server.core.errors import SessionError

log = logging.getLogger("curfew.http")


def log_failure(error: BaseException | None, path: str) -> None:
    """Log what ended a request unless it is a refusal; never a query, where a secret may stand."""
    if isinstance(error, SessionError):
        log.warning("%s", error, extra={"path": path})
    elif not _is_refusal(error):
        log.error("unexpected error", exc_info=error, extra={"path": path})


def _is_refusal(error: BaseException | None) -> bool:
    return isinstance(error, ProblemRaised) or (
        isinstance(error, HTTPError) and error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
    )
