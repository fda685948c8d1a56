"""The checks of where a request comes from, before its session counts as used.

A refusal is recorded in the audit trail and raised: nothing behind it runs.
"""

import hmac

from handlers.http import origins
from handlers.http.problems import CSRF_TOKEN_WRONG, UNKNOWN_HOST, Problem, ProblemRaised
from handlers.http.session import SessionHandler
from server.core.audit import AuditEvent
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


def _require_origin(handler: SessionHandler, problem: Problem | None) -> None:
    if problem is not None:
        origin = ", ".join(handler.request.headers.get_list("Origin"))
        handler.audit(AuditEvent.ORIGIN_REFUSED, origin=origin, path=handler.request.path)
        raise ProblemRaised(problem)
