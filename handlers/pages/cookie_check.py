"""Notices a browser that keeps no cookie, which would be asked to sign in for ever.

Safari keeps no Secure cookie on http://localhost, and anybody may refuse cookies. A sign-in by the
page therefore leads over the login page: it sends on whoever has a session by now. Who comes there
without any cookie is told what to do. There is no further redirect, so nothing goes in circles.
"""

from typing import Final
from urllib.parse import urlencode

from tornado.httputil import HTTPServerRequest

from handlers.http.cookie import Absent, find_cookie

MARKER: Final = "signed-in"
"""A query field that says only that a sign-in has just been answered; its value says nothing."""

START_WITH_TLS: Final = "CURFEW_TLS_CERT=self make run"
"""What helps on one's own machine."""


def path_after_sign_in(path: str) -> str:
    """Where a sign-in leads: to `path`, by way of the question whether the cookie came back."""
    return f"/login?{urlencode({'next': path, MARKER: '1'})}"


def dropped_cookie(request: HTTPServerRequest, name: str) -> bool:
    """Whether the browser was given a cookie of this name a moment ago and does not have it.

    One that it sends twice, or that does not verify, is there: that is another story.
    """
    sent = find_cookie(request.headers.get_list("Cookie"), name)
    return MARKER in request.query_arguments and isinstance(sent, Absent)
