"""Logs what ended a request, without any secret that the request carried."""

import logging
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from tornado.web import HTTPError

from handlers.http.problems import ProblemRaised
from server.core.errors import SessionError

log = logging.getLogger("curfew.http")

Execute = Callable[..., Coroutine[Any, Any, None]]


def log_failure(error: BaseException | None, path: str) -> None:
    """Log what ended a request, unless it is a refusal.

    Args:
        error: what ended it.
        path: of the request, without the query: a query may hold a secret.
    """
    if isinstance(error, SessionError):
        log.warning("%s", error, extra={"path": path})
    elif not _is_refusal(error):
        log.error("unexpected error", exc_info=error, extra={"path": path})


class MalformedRequestRedaction(logging.Filter):
    """Removes from Tornado's line on a malformed request what the line quotes.

    An attacker may have made the header malformed, and the rest of it may be a live cookie.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Return True: the line itself is wanted."""
        if str(record.msg).startswith("Malformed HTTP message") and isinstance(record.args, tuple):
            record.msg, record.args = "malformed HTTP message from %s", record.args[:1]
        return True


def answering_exits(execute: Execute) -> Execute:
    """Return what runs a handler, and answers 500 also where the handler raises `SystemExit`.

    That would end the process, with everybody's sockets.

    Args:
        execute: Tornado's, which answers 500 to everything else.
    """

    async def executed(handler: Any, *given: Any, **named: Any) -> None:
        try:
            await execute(handler, *given, **named)
        except SystemExit as left:
            handler._handle_request_exception(left)  # noqa: SLF001 - Tornado has no public name

    return executed


def _is_refusal(error: BaseException | None) -> bool:
    return isinstance(error, ProblemRaised) or (
        isinstance(error, HTTPError) and error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
    )
