"""What ended a request, as the log is told it."""

import logging
from http import HTTPStatus

from tornado.web import HTTPError

from handlers.http.problems import ProblemRaised
from server.core.errors import SessionError

log = logging.getLogger("curfew.http")


def log_failure(error: BaseException | None, path: str) -> None:
    """Log what ended a request unless it is a refusal; never a query, where a secret may stand."""
    if isinstance(error, SessionError):
        log.warning("%s", error, extra={"path": path})
    elif not _is_refusal(error):
        log.error("unexpected error", exc_info=error, extra={"path": path})


class MalformedRequestRedaction(logging.Filter):
    """Has Tornado's line on a malformed request without what it quotes.

    What made a header malformed may have come from elsewhere, and the rest of it be a live cookie.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """True: the line itself is wanted."""
        if str(record.msg).startswith("Malformed HTTP message") and isinstance(record.args, tuple):
            record.msg, record.args = "malformed HTTP message from %s", record.args[:1]
        return True


def _is_refusal(error: BaseException | None) -> bool:
    return isinstance(error, ProblemRaised) or (
        isinstance(error, HTTPError) and error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
    )
