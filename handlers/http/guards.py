"""The checks of where a request comes from and who sends it, for all handlers.

A refusal is recorded in the audit trail and raised: nothing behind it runs.
"""

import hmac
from contextlib import suppress
from typing import Any, Final

from tornado.web import RequestHandler

from handlers.http import origins
from handlers.http.problems import (
    BODY_TOO_LARGE,
    CSRF_TOKEN_WRONG,
    NOT_ADMIN,
    UNAVAILABLE,
    UNKNOWN_HOST,
    Problem,
    ProblemRaised,
)
from handlers.http.session import SessionHandler
from handlers.http.streamed_delegate import is_streamed
from server.core.audit import AuditEvent
from server.core.errors import WriteConflict
from server.core.reasons import NoSession
from server.core.session import is_recently_authenticated, owes_second_factor
from server.core.token import csrf_token

WHOLE_AT_MOST: Final = 1024 * 1024
"""Bytes of a body that is kept whole. What is larger must be streamed: strangers may send it."""


def require_readiness(handler: SessionHandler) -> None:
    """Return if this node has the store and its events, may serve, and goes on to.

    Raises:
        ProblemRaised: the process is about to stop.
        StoreUnavailable: the node may not serve now.
    """
    handler.services.engine.fence.require()
    if handler.application.is_stopping:
        raise ProblemRaised(UNAVAILABLE)


def require_own_host(handler: SessionHandler) -> None:
    """Raise a problem for a request to a host that is not ours."""
    host = handler.request.host
    if not handler.application.serves_host(host):
        handler.audit(AuditEvent.HOST_REFUSED, host=host)
        raise ProblemRaised(UNKNOWN_HOST)


def require_own_page(handler: SessionHandler) -> None:
    """Raise a problem for a request to change something that comes from another site."""
    _require_origin(
        handler, origins.problem_with_origin(handler.request.headers, handler.application.origins)
    )


def require_socket_origin(handler: SessionHandler) -> None:
    """Raise a problem for a handshake that does not come from one of our own pages."""
    _require_origin(
        handler,
        origins.problem_with_socket_origin(handler.request.headers, handler.application.origins),
    )


def require_csrf_token(handler: SessionHandler, presented: str) -> None:
    """Raise a problem unless the request brought its session's CSRF token.

    Args:
        handler: of a request with a live session.
        presented: what the request brought; empty for nothing.
    """
    if not is_csrf_token(handler, presented):
        why = "wrong" if presented else "missing"
        handler.audit(AuditEvent.CSRF_REFUSED, why=why, path=handler.request.path)
        raise ProblemRaised(CSRF_TOKEN_WRONG)


def is_csrf_token(handler: SessionHandler, presented: str) -> bool:
    """Return whether a text is the CSRF token of a request's live session."""
    expected = csrf_token(handler.session.seed)
    return hmac.compare_digest(presented.encode(), expected.encode())


async def require_administrator(handler: SessionHandler) -> None:
    """Raise a problem unless the person who is signed in is an administrator now.

    The account decides, not the session: a role that was taken away is gone at once.
    """
    account = await handler.services.accounts.find(handler.user)
    if not account or not account.admin or account.disabled:
        handler.audit(AuditEvent.ACCESS_REFUSED, path=handler.request.path)
        raise ProblemRaised(NOT_ADMIN)


async def is_recently_proved(handler: SessionHandler, *, changes_second_factors: bool) -> bool:
    """Return whether the person proved recently enough who they are.

    Args:
        handler: of a request with a live session.
        changes_second_factors: whether the request may do so. Then a password is not enough
            where a second factor is owed and the account has one.
    """
    session = handler.session
    if not is_recently_authenticated(session, handler.now(), handler.rules):
        return False
    if not (changes_second_factors and owes_second_factor(session, handler.rules)):
        return True
    return not (await handler.services.factors.factors_of(handler.user)).enabled


def _require_origin(handler: SessionHandler, problem: Problem | None) -> None:
    if problem is not None:
        origin = ", ".join(handler.request.headers.get_list("Origin"))
        handler.audit(AuditEvent.ORIGIN_REFUSED, origin=origin, path=handler.request.path)
        raise ProblemRaised(problem)


def require_bearable_body(handler: RequestHandler, most: int, seconds: float) -> None:
    """Raise a problem for a body that is larger than the handler takes.

    A streamed body has not come yet. What it says of its length is compared now, before the client
    is asked for its first byte, and what comes is counted.

    Args:
        handler: of the request.
        most: bytes of the body.
        seconds: how long a streamed body may take.

    Raises:
        ProblemRaised: 413.
    """
    request = handler.request
    if not is_streamed(type(handler)):
        size = len(request.body)
    else:
        length = request.headers.get("Content-Length", "0")
        size = int(length) if length.isdecimal() else 0
        connection: Any = request.connection
        connection.set_max_body_size(most)
        connection.set_body_timeout(seconds)
    if size > most:
        raise ProblemRaised(BODY_TOO_LARGE)


async def require_live_session(handler: SessionHandler) -> None:
    """Raise a problem if the session of a request has ended since it was checked.

    Raises:
        ProblemRaised: 401.
        StoreUnavailable: nothing is known of the session.
    """
    if handler.live is None:
        return
    sid = handler.live.session.sid
    handler.services.engine.fence.of(sid).require()
    with suppress(WriteConflict):  # other writers win, so it is live
        found = await handler.services.sessions.current(sid)
        if isinstance(found, NoSession):
            handler.adopt(found)
