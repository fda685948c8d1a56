"""`GET /openapi.json`: every JSON route, as an OpenAPI 3.1 document.

Tests compare it with the routes and with what the running server answers.
"""

import functools
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from handlers.http import problems
from handlers.http.access import Access
from handlers.http.base import BaseHandler
from handlers.http.origins import FOR_PEOPLE
from handlers.http.problems import Problem
from handlers.openapi.factors import FACTOR_PATHS, OWED
from handlers.openapi.operations import (
    BAD_REQUEST,
    NOT_LIVE,
    acting,
    answer,
    parameter,
    probing,
    reading,
)
from handlers.openapi.schemas import (
    BOOLEAN,
    CSRF_TOKEN,
    DATA,
    GENERATION,
    NEW_PASSWORD,
    NEW_USER,
    SCHEMAS,
    SESSION_ID,
    TEXT,
    USER,
    Node,
    closed,
    reference,
)

BAD_USERNAME: Final = Problem(400, "bad-username", "No account was made", "")
BAD_PASSWORD: Final = Problem(400, "bad-password", "The password will not do", "")
NAME_TAKEN: Final = Problem(409, "name-taken", "No account was made", "")
DATA_REFUSED: Final = Problem(413, "data-refused", "The data cannot be kept", "")
THROTTLED: Final = problems.throttled(timedelta())


SIGNED_IN_ANSWER: Final = closed(session=reference("Session"), csrf_token=CSRF_TOKEN)
LIST_ANSWER: Final = closed(sessions={"type": "array", "items": reference("ListedSession")})
ACTIVITY_ANSWER: Final = closed(activity={"type": "array", "items": reference("Activity")})
RECEIPT: Final = reference("Receipt")
NAME: Final = parameter("path", "user", {**NEW_USER, "example": "ada"}, "Of the account.")

PATHS: Final[dict[str, Node]] = {
    "/api/signup": {
        "post": acting(
            Access.PUBLIC,
            "Make an account. Signs nobody in.",
            answer("The account.", closed(user=USER)),
            BAD_USERNAME,
            BAD_PASSWORD,
            NAME_TAKEN,
            problems.SIGNUP_CLOSED,
            THROTTLED,
            problems.BUSY,
            takes=closed(username=NEW_USER, password=NEW_PASSWORD),
            status=HTTPStatus.CREATED,
        )
    },
    "/api/login": {
        "post": acting(
            Access.PUBLIC,
            "Begin a new session, in place of whatever session the request had.",
            answer("The session.", SIGNED_IN_ANSWER, headers=["Set-Cookie"]),
            problems.WRONG_CREDENTIALS,
            OWED,
            problems.SIGN_IN_INTERRUPTED,
            THROTTLED,
            problems.BUSY,
            takes=closed(username=TEXT, password=TEXT),
            before_second_factor=True,
        )
    },
    "/api/logout": {
        "post": acting(
            Access.SESSION,
            "End this session everywhere.",
            answer("The receipt.", RECEIPT, headers=["Set-Cookie", "Clear-Site-Data"]),
            before_second_factor=True,
        )
    },
    "/api/password": {
        "put": acting(
            Access.RECENT,
            "Replace the password. This session goes on under a new token.",
            answer(
                "The receipt for the other sessions; an empty object when they were kept.",
                {"oneOf": [RECEIPT, closed()]},
                headers=["Set-Cookie"],
            ),
            BAD_PASSWORD,
            problems.WRONG_PASSWORD,
            THROTTLED,
            problems.BUSY,
            takes={
                **closed(
                    current_password=TEXT,
                    new_password=NEW_PASSWORD,
                    end_other_sessions={**BOOLEAN, "default": True},
                ),
                "required": ["current_password", "new_password"],
            },
        )
    },
    "/api/session": {
        "get": reading(
            Access.SESSION,
            "The session of this request.",
            answer("It.", SIGNED_IN_ANSWER),
            before_second_factor=True,
        )
    },
    "/api/session/rotate": {
        "post": acting(
            Access.SESSION,
            "Change the token now. Tokens from before it are good for one grace more.",
            answer("Its number.", closed(generation=GENERATION), headers=["Set-Cookie"]),
        )
    },
    **FACTOR_PATHS,
    "/api/session/data": {
        "get": reading(
            Access.PUBLIC,
            "The session's data; empty without a session.",
            answer("All of it.", DATA),
        ),
        "patch": acting(
            Access.PUBLIC,
            "Merge top-level keys; null removes one. Begins an anonymous session without one.",
            answer("All of it.", DATA, headers=["Set-Cookie"]),
            *NOT_LIVE,
            DATA_REFUSED,
            problems.SIGN_IN_INTERRUPTED,
            takes=DATA,
        ),
    },
    "/api/activity": {
        "get": reading(
            Access.SIGNED_IN,
            "What happened to one's own account lately, the newest first.",
            answer("At most 50 entries, of 90 days.", ACTIVITY_ANSWER),
        )
    },
    "/api/sessions": {
        "get": reading(
            Access.SIGNED_IN,
            "One's own sessions, the most recently used first.",
            answer("The list.", LIST_ANSWER),
        ),
        "delete": {
            **acting(
                Access.RECENT,
                "End several of one's own sessions.",
                answer("The receipt.", RECEIPT, headers=["Set-Cookie"]),
                BAD_REQUEST,
            ),
            "parameters": [
                parameter(
                    "query",
                    "scope",
                    {"type": "string", "enum": ["others", "all"]},
                    "`others` keeps this session; `all` ends it too.",
                )
            ],
        },
    },
    "/api/sessions/{id}": {
        "delete": {
            **acting(
                Access.RECENT,
                "End one of one's own sessions.",
                answer("The receipt.", RECEIPT, headers=["Set-Cookie"]),
                problems.SESSION_NOT_FOUND,
            ),
            "parameters": [parameter("path", "id", SESSION_ID, "Of the session.")],
        },
    },
    "/api/admin/users/{user}/sessions": {
        "parameters": [NAME],
        "get": reading(
            Access.ADMIN,
            "The sessions of a user.",
            answer("The list.", LIST_ANSWER),
            problems.USER_NOT_FOUND,
        ),
        "delete": acting(
            Access.ADMIN,
            "End all sessions of a user.",
            answer("The receipt.", RECEIPT),
            problems.USER_NOT_FOUND,
        ),
    },
    "/api/admin/users/{user}/disabled": {
        "parameters": [NAME],
        "put": acting(
            Access.ADMIN,
            "Disable an account, which ends its sessions; or enable it again.",
            answer(
                "The receipt, or the user when the account was enabled.",
                {"oneOf": [RECEIPT, closed(user=USER, disabled={"const": False})]},
            ),
            problems.USER_NOT_FOUND,
            takes=closed(disabled=BOOLEAN),
        ),
    },
    "/healthz": {
        "get": probing(
            "Whether this process runs its event loop.",
            answer("It does.", closed(status={"const": "ok"})),
        )
    },
    "/readyz": {
        "get": probing(
            "Whether this process may serve.",
            answer("It may.", closed(status={"const": "ready"})),
            problems.UNAVAILABLE,
        )
    },
    "/metrics": {
        "get": probing(
            "What this process counted, as Prometheus reads it.",
            {"description": "Samples.", "content": {"text/plain": {"schema": TEXT}}},
        )
    },
    "/openapi.json": {
        "get": probing(
            "This description.", answer("It.", {"type": "object"}), problems.UNKNOWN_HOST
        )
    },
}

DESCRIPTION: Final = (
    "Sockets (`GET /ws`) are described in docs/protocol.md. A request that changes something needs "
    "an allowed `Origin`; a program that sends neither `Origin` nor `Sec-Fetch-Site` needs none. "
    "Every answer is `no-store`."
)


def _security_schemes(cookie_name: str) -> dict[str, Node]:
    """How a request shows its session."""
    return {
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie_name,
            "description": "Set by signing in, and by the first write of an anonymous visitor.",
        },
        "csrf": {
            "type": "apiKey",
            "in": "header",
            "name": "X-CSRF-Token",
            "description": "The `csrf_token` of `GET /api/session`. The same for a session's life.",
        },
    }


@functools.cache
def document(cookie_name: str) -> Node:
    """The whole description.

    Args:
        cookie_name: of the one cookie.
    """
    return {
        "openapi": "3.1.0",
        "info": {"title": "Curfew", "version": "0.1.0", "description": DESCRIPTION},
        "paths": PATHS,
        "components": {"schemas": SCHEMAS, "securitySchemes": _security_schemes(cookie_name)},
    }


class OpenApiHandler(BaseHandler):
    """`GET /openapi.json`"""

    access = Access.PUBLIC
    destinations = FOR_PEOPLE

    async def load_session(self) -> None:
        """None: the same for everybody."""

    def get(self) -> None:
        self.finish_json(document(self.application.configuration.cookie_name))
