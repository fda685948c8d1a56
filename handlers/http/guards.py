"""The checks of where a request comes from and who sends it, for all handlers.

A refusal is recorded in the audit trail and raised: nothing behind it runs.
"""

import hmac

from handlers.http import origins
from handlers.http.problems import (
    CSRF_TOKEN_WRONG,
    NOT_ADMIN,
    UNKNOWN_HOST,
    Problem,
    ProblemRaised,
)
from handlers.http.session import SessionHandler
from server.core.audit import AuditEvent
from server.core.session import is_recently_authenticated, owes_second_factor
from server.core.token import csrf_token


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
    expected = csrf_token(handler.session.seed)
    if not hmac.compare_digest(presented.encode(), expected.encode()):
        why = "wrong" if presented else "missing"
        handler.audit(AuditEvent.CSRF_REFUSED, why=why, path=handler.request.path)
        raise ProblemRaised(CSRF_TOKEN_WRONG)


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
