"""End one's own sessions: what programs and pages have in common."""

from handlers.http.problems import ProblemRaised, bad_request
from handlers.http.session import SessionHandler
from server.accounts.own_sessions import EndScope, OwnSessionsEnded
from server.core.receipt import Receipt


async def log_out(handler: SessionHandler) -> Receipt:
    """End the session of a request everywhere, and make its browser forget it."""
    receipt = await handler.services.own_sessions.log_out(handler.person)
    handler.clear_session_cookie()
    handler.set_header("Clear-Site-Data", '"cache", "storage"')
    return receipt


async def end_many(handler: SessionHandler, scope: str) -> OwnSessionsEnded:
    """End several sessions of who asks.

    Args:
        handler: of the request.
        scope: which, as the client named it.

    Raises:
        ProblemRaised: there is no such scope; nothing was ended.
    """
    if scope not in set(EndScope):
        raise ProblemRaised(bad_request("`scope` is `others` or `all`."))
    ended = await handler.services.own_sessions.end_many(handler.person, EndScope(scope))
    return clear_cookie_if_ended(handler, ended)


def clear_cookie_if_ended(handler: SessionHandler, ended: OwnSessionsEnded) -> OwnSessionsEnded:
    """Make the browser forget its cookie if the session that asked has ended, too."""
    if ended.this_too:
        handler.clear_session_cookie()
    return ended
