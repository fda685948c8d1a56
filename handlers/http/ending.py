"""End one's own sessions: what JSON handlers and pages have in common."""

from typing import Final, cast

from handlers.http.problems import ProblemRaised, bad_request
from handlers.http.session import SessionHandler
from server.accounts.own_sessions import EndScope, OwnSessionsEnded
from server.core.receipt import Receipt

CLEARED: Final = '"storage"'
"""Not `"cache"`: every answer that depends on a session is `no-store`, and Chromium empties the
whole browser's cache for it, of all sites, before it shows the next page."""


async def log_out(handler: SessionHandler) -> Receipt:
    """End the session of a request everywhere, and clear what its browser keeps of it."""
    receipt = await handler.services.own_sessions.log_out(handler.person)
    handler.clear_session_cookie()
    _clear_site_data(handler)
    return receipt


async def delete_own_account(handler: SessionHandler) -> Receipt:
    """Delete the account of the person who sent a request, and clear what the browser keeps of it.

    Raises:
        ProblemRaised: it was not deleted, or its session ended meanwhile.
    """
    outcome = await handler.services.account_changes.delete_own(handler.person)
    if not isinstance(outcome, Receipt):
        handler.adopt(outcome)  # raises for each of these
    handler.clear_session_cookie()
    _clear_site_data(handler)
    return cast("Receipt", outcome)


def scope_in(text: str) -> EndScope:
    """Return which sessions a client wants to end.

    Raises:
        ProblemRaised: there is no such scope.
    """
    if text not in set(EndScope):
        raise ProblemRaised(bad_request("`scope` is `others` or `all`."))
    return EndScope(text)


async def end_many(handler: SessionHandler, scope: EndScope) -> OwnSessionsEnded:
    """End several sessions of the person who sent a request."""
    ended = await handler.services.own_sessions.end_many(handler.person, scope)
    return clear_cookie_if_ended(handler, ended)


def clear_cookie_if_ended(handler: SessionHandler, ended: OwnSessionsEnded) -> OwnSessionsEnded:
    """Make the browser forget its cookie if the session of the request ended, too."""
    if ended.this_too:
        handler.clear_session_cookie()
    return ended


def _clear_site_data(handler: SessionHandler) -> None:
    if not handler.application.base_path.path:  # below one, the rest of the origin is not ours
        handler.set_header("Clear-Site-Data", CLEARED)
