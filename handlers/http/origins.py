"""Refuses requests from other sites: only our own pages may change something or open sockets.

Scheme, host and port are compared exactly (ASVS 5.0 3.5.1, 4.4.2). Tornado's own check ignores the
scheme, accepts a missing Origin, and compares with a Host that the client chose.
"""

from typing import Final

from tornado.httputil import HTTPHeaders

from handlers.http.problems import (
    WRONG_CONTEXT,
    Problem,
    forbidden_origin,
    not_for_the_address_bar,
)

FOR_SCRIPTS: Final = frozenset({"empty"})
"""Values of Sec-Fetch-Dest: what one of our scripts fetches."""
FOR_PEOPLE: Final = frozenset({"empty", "document"})
"""Also what a person opens in a window; never a frame, a script, an image or a style."""

FOR_STYLES: Final = frozenset({"empty", "style"})
"""Also a style of our own pages."""


def problem_with_socket_origin(headers: HTTPHeaders, allowed: frozenset[str]) -> Problem | None:
    """Return why a handshake is refused, if it is.

    A cookie authenticates a handshake, so the Origin must be there.
    """
    if headers.get_list("Origin") in [[origin] for origin in allowed]:
        return None
    return forbidden_origin("WebSockets are opened from this server's own pages only.")


def problem_with_origin(headers: HTTPHeaders, allowed: frozenset[str]) -> Problem | None:
    """Return why a request that changes something is refused, if it is.

    Browsers say where such a request comes from. A client that says nothing is no browser, so
    nobody can have tricked it. With a live session it still needs the CSRF token.
    """
    origins = headers.get_list("Origin")
    if origins:
        if len(origins) == 1 and origins[0] in allowed:
            return None
        return forbidden_origin("The Origin header names none of this server's origins.")
    if headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return forbidden_origin("The request does not come from this server's own pages.")
    return None


def names_its_page(headers: HTTPHeaders) -> bool:
    """Return whether a browser says where a request comes from. No page can forge or hide that.

    `problem_with_origin` says whether it comes from one of our own pages.
    """
    return "Origin" in headers or "Sec-Fetch-Site" in headers


def problem_with_destination(headers: HTTPHeaders, destinations: frozenset[str]) -> Problem | None:
    """Return why a browser may not use the answer as it wants to, if so (ASVS 5.0 3.2.1, 3.5.8).

    Otherwise another site could load the answer as a script, an image or a frame, and a sibling
    site even with the cookie. A client that says nothing is no browser, or an old one.
    """
    wanted_as = headers.get("Sec-Fetch-Dest", "empty")
    if wanted_as in destinations:
        return None
    return not_for_the_address_bar() if wanted_as == "document" else WRONG_CONTEXT
