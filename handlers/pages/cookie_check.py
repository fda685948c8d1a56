"""Detects a browser that keeps no cookie. Otherwise its user would have to sign in for ever.

Safari keeps no Secure cookie on http://localhost, and any user may refuse cookies. So every sign-in
on a page redirects to the login page once more. The login page sends people with a session on. To a
browser without the cookie it says what to do. It redirects no further, so there is no loop.
"""

from typing import Final
from urllib.parse import urlencode

from tornado.httputil import HTTPServerRequest

from handlers.http.cookie import Absent, find_cookie

MARKER: Final = "signed-in"
"""A query field that says only that somebody has just signed in; its value says nothing."""

START_WITH_TLS: Final = "CURFEW_TLS_CERT=self make run"
"""The command that helps on one's own machine."""


def path_after_sign_in(path: str) -> str:
    """Return where to redirect after a sign-in: to the cookie check, which goes on to `path`."""
    return f"/login?{urlencode({'next': path, MARKER: '1'})}"


def dropped_cookie(request: HTTPServerRequest, name: str) -> bool:
    """Return whether the browser got a cookie of this name a moment ago and did not keep it.

    A cookie that is sent twice, or does not verify, was kept; other checks handle it.
    """
    sent = find_cookie(request.headers.get_list("Cookie"), name)
    return MARKER in request.query_arguments and isinstance(sent, Absent)
