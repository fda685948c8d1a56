"""Where a request comes from: our own pages, or somewhere else that may not act.

Exact comparison of scheme, host and port (ASVS 5.0 3.5.1, 4.4.2). Tornado's own check ignores the
scheme, lets an absent Origin pass, and compares with a Host that the client chose.
"""

from typing import Final

from tornado.httputil import HTTPHeaders

from handlers.http.problems import WRONG_CONTEXT, Problem, forbidden_origin

FOR_SCRIPTS: Final = frozenset({"empty"})
"""Values of Sec-Fetch-Dest: what a script of ours fetches."""
FOR_PEOPLE: Final = frozenset({"empty", "document"})
"""Also what somebody opens in a window; never a frame, a script, an image or a style."""


def problem_with_socket_origin(headers: HTTPHeaders, allowed: frozenset[str]) -> Problem | None:
    """Why a handshake is refused: a cookie authenticates it, so the Origin must be there."""
    if headers.get_list("Origin") in [[origin] for origin in allowed]:
        return None
    return forbidden_origin("WebSockets are opened from this server's own pages only.")


def problem_with_origin(headers: HTTPHeaders, allowed: frozenset[str]) -> Problem | None:
    """Why a request that changes something is refused.

    Browsers say where such a request comes from. A client that says nothing is no browser, so
    nobody can have been tricked into sending it; with a live session it still owes the CSRF token.
    """
    origins = headers.get_list("Origin")
    if origins:
        if len(origins) == 1 and origins[0] in allowed:
            return None
        return forbidden_origin("The Origin header names none of this server's origins.")
    if headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return forbidden_origin("The request does not come from this server's own pages.")
    return None


def problem_with_destination(headers: HTTPHeaders, destinations: frozenset[str]) -> Problem | None:
    """Why an answer is not given for what a browser wants to use it as (ASVS 5.0 3.2.1, 3.5.8).

    Otherwise another site could load it as a script, an image or a frame, with the cookie where
    that site is a sibling. A client that says nothing is no browser, or an old one.
    """
    if headers.get("Sec-Fetch-Dest", "empty") in destinations:
        return None
    return WRONG_CONTEXT
