"""Errors as values of RFC 9457: each has a stable type, and says what to do.

Programs decide by the type, so it never changes; the words may.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http import HTTPStatus

from tornado.web import HTTPError

from handlers.languages.texts import reason_sentence
from server.core.errors import (
    DataRefused,
    SessionError,
    StoreUnavailable,
    VisitorsFull,
    WriteConflict,
)
from server.core.reasons import NoSession
from server.core.session import Json
from server.crypto.passwords import HasherBusy

TYPE_PREFIX = "/problems/"
NOTHING_TO_SAY = "status"
"""The case of a problem that has no words but those of its status."""
MAX_SECONDS_SHOWN = 120
"""Pages say a longer wait in minutes."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What a client learns of an error.

    Attributes:
        status: HTTP status code.
        slug: last part of the stable `type`.
        title: the kind of error, for developers; pages have their own words for each slug.
        detail: this case of it, likewise. Never a secret, never the text of an exception.
        extra: further members of the JSON document.
        headers: of the response.
        case: a word for this case, where pages have several sentences for one slug.
        count: a number in the sentence of the pages.
    """

    status: int
    slug: str
    title: str
    detail: str
    extra: dict[str, Json] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    case: str = "text"
    count: int = 0

    def as_json(self) -> dict[str, Json]:
        """Return the `application/problem+json` document."""
        return {
            "type": TYPE_PREFIX + self.slug,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.extra,
        }


class ProblemRaised(HTTPError):
    """Ends the request with a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.status)
        self.problem = problem


def problem_of(error: BaseException | None, status: int) -> Problem:
    """Return the problem for an exception that ended a request.

    An unknown exception says nothing about itself: its text may hold a secret.

    Args:
        error: the exception.
        status: that Tornado gives the answer.
    """
    match error:
        case ProblemRaised(problem=problem):
            return problem
        case StoreUnavailable():
            return UNAVAILABLE
        case HasherBusy():
            return BUSY
        case WriteConflict():
            return WRITE_CONFLICT
        case DataRefused(detail=detail):
            return data_refused(detail)
        case VisitorsFull(wait=wait):
            return visitors_full(wait)
        case SessionError():
            return INTERNAL
    return INTERNAL if status == HTTPStatus.INTERNAL_SERVER_ERROR else _by_status(status)


def unauthenticated(no_session: NoSession) -> Problem:
    """Return the problem of a request without a live session; it says why the session ended."""
    detail = reason_sentence(no_session.reason) if no_session.reason else "Sign in to go on."
    extra: dict[str, Json] = {"reason": no_session.word, "event": no_session.end_id}
    return Problem(401, "unauthenticated", "No live session", detail, extra)


def bad_request(detail: str) -> Problem:
    """Return the problem of a request that does not have the form that the route takes."""
    return Problem(400, "bad-request", "The request has the wrong form", detail)


def forbidden_origin(detail: str) -> Problem:
    """Return the problem of a request that does not come from one of our own pages."""
    return Problem(403, "forbidden-origin", "Not from an allowed origin", detail)


def method_not_allowed(methods: Sequence[str]) -> Problem:
    """Return the problem of a method that the address does not take (RFC 9110 15.5.6)."""
    allowed = ", ".join(methods)
    detail = f"This address takes: {allowed}."
    return Problem(
        405, "method-not-allowed", "Not with this method", detail, headers={"Allow": allowed}
    )


def throttled(wait: timedelta) -> Problem:
    """Return the problem of too many tries at a secret (RFC 6585 4).

    A try with the right secret gets the same answer, so waiting is all that one can learn.
    """
    seconds = max(1, math.ceil(wait.total_seconds()))
    minutes = math.ceil(seconds / 60) if seconds > MAX_SECONDS_SHOWN else 0
    return Problem(
        429,
        "throttled",
        "Too many tries",
        "There were too many tries. Try again when Retry-After says.",
        headers={"Retry-After": str(seconds)},
        case="minutes" if minutes else "seconds",
        count=minutes or seconds,
    )


def data_refused(detail: str) -> Problem:
    """Return the problem of session data that is too large, or cannot be stored."""
    return Problem(413, "data-refused", "The data cannot be kept", detail)


def visitors_full(wait: timedelta) -> Problem:
    """Return the problem of a visitor whose data finds no room (RFC 6585 4)."""
    return Problem(
        429,
        "visitors-full",
        "Too much is kept for visitors",
        "Visitors who are not signed in keep too much data here. Sign in, or try again when "
        "Retry-After says.",
        headers={"Retry-After": str(max(1, math.ceil(wait.total_seconds())))},
    )


def not_for_the_address_bar() -> Problem:
    """Return the problem of JSON that a person opens: the case of `WRONG_CONTEXT` met first."""
    return replace(
        WRONG_CONTEXT,
        title="For programs, not for the address bar",
        detail="This address answers programs: fetch it from a page of this site, or with curl. A "
        "handler that people may open says so: destinations = FOR_PEOPLE "
        "(handlers/http/origins.py).",
    )


UNAVAILABLE = Problem(
    503,
    "unavailable",
    "Sessions cannot be checked now",
    "The server cannot reach its session store. Nobody is signed out by this; try again soon.",
    headers={"Retry-After": "1"},
)
BUSY = Problem(
    503,
    "busy",
    "Too much to do",
    "Too many passwords are being checked now. Try again in a moment.",
    headers={"Retry-After": "1"},
)
TOKEN_OVERTAKEN = Problem(
    401,
    "token-overtaken",
    "A newer token took this one's place",
    "The session goes on. Send this again with the cookie that the browser has been given since.",
)
NO_LIVE_SESSION = (unauthenticated(NoSession()), TOKEN_OVERTAKEN)
"""What a request may learn where a live session is needed and it has none."""
WRITE_CONFLICT = Problem(
    409, "write-conflict", "Other requests changed the same data", "Nothing was lost. Try again."
)
INTERNAL = Problem(500, "internal", "Something went wrong here", "The error was logged.")
NOT_FOUND = Problem(404, "not-found", "Not found", "There is nothing at this address.")
UNKNOWN_HOST = Problem(
    421,
    "unknown-host",
    "Unknown host",
    "This server answers for the hosts of its allowed origins only (CURFEW_ORIGINS).",
)
WRONG_CONTEXT = Problem(
    403,
    "wrong-context",
    "Not for this use",
    "The browser asked for this as something that it is not, such as a script or an image.",
)
CSRF_TOKEN_WRONG = Problem(
    403,
    "csrf-token-wrong",
    "The CSRF token is missing or wrong",
    "Send the `csrf_token` of GET /api/session as the header X-CSRF-Token. On a page, reload it.",
)
REAUTHENTICATION_REQUIRED = Problem(
    403,
    "reauthentication-required",
    "Prove your password again",
    "This needs a recent password. POST it to /api/session/reauthenticate and try again.",
)
SECOND_FACTOR_SETUP_REQUIRED = Problem(
    403,
    "second-factor-setup-required",
    "Set up a second factor first",
    "This server asks for one. Set it up at /api/totp or /api/passkeys; if your account has one, "
    "prove it at /api/session/reauthenticate.",
)
NOT_ADMIN = Problem(403, "not-admin", "For administrators", "Your account has no such right.")
UNSUPPORTED_MEDIA_TYPE = Problem(
    415,
    "unsupported-media-type",
    "The body must be JSON",
    "Send the body with Content-Type: application/json.",
)
BODY_TOO_LARGE = Problem(
    413, "body-too-large", "The body is too large", "A request's body has at most 128 KiB."
)
SESSION_NOT_FOUND = Problem(
    404, "session-not-found", "No such session", "You have no live session with this id."
)


def _by_status(status: int) -> Problem:
    if status == HTTPStatus.NOT_FOUND:
        return NOT_FOUND
    if status == HTTPStatus.BAD_REQUEST:
        return bad_request("Its address, its headers or its body could not be read.")
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"
    slug = phrase.lower().replace(" ", "-")
    return Problem(status, slug, phrase, f"{phrase}.", case=NOTHING_TO_SAY)
