"""The routes of second factors in the OpenAPI description."""

from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Final

from handlers.http import factor_problems, problems
from handlers.http.access import Access
from handlers.openapi.operations import BAD_REQUEST, acting, answer, parameter, reading
from handlers.openapi.schemas import (
    BOOLEAN,
    CSRF_TOKEN,
    TEXT,
    TIME,
    Node,
    closed,
    nullable,
    reference,
)
from server.core.factors import PASSKEY_NAME_CHARACTERS
from server.core.one_time_codes import RECOVERY_CODES

OWED: Final = factor_problems.second_factor_owed((), "")
MISSING: Final = factor_problems.second_factor_missing(())
THROTTLED: Final = problems.throttled(timedelta())

CHALLENGE: Final[Node] = {**TEXT, "description": "Of `second-factor-required`; for five minutes."}
CODE: Final[Node] = {**TEXT, "description": "Of the app, or a recovery code."}
CREDENTIAL: Final[Node] = {
    "type": "object",
    "additionalProperties": True,
    "description": "What `PublicKeyCredential.toJSON()` gives.",
}
OPTIONS: Final[Node] = {
    "type": "object",
    "additionalProperties": True,
    "required": ["challenge"],
    "description": "Options of WebAuthn as JSON. The challenge is good once, for five minutes.",
}
PASSKEY_ID: Final[Node] = {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"}
END_OTHERS: Final[Node] = {**BOOLEAN, "default": True}
FACTORS: Final = closed(
    totp={
        "oneOf": [closed(added_at=TIME), {"type": "null"}],
        "description": "The authenticator app.",
    },
    passkeys={
        "type": "array",
        "items": closed(
            id=PASSKEY_ID,
            name=TEXT,
            site={**TEXT, "description": "The host that it is good at."},
            added_at=TIME,
            last_used_at=nullable(TIME),
        ),
    },
    recovery_codes_left={"type": "integer", "minimum": 0, "maximum": RECOVERY_CODES},
)
CHANGE: Final = answer(
    "Recovery codes where new ones were made, shown this once; the receipt of other sessions.",
    closed(
        recovery_codes={"type": "array", "items": TEXT},
        receipt={"oneOf": [reference("Receipt"), {"type": "null"}]},
    ),
    headers=["Set-Cookie"],
)
SIGNED_IN: Final = answer(
    "The session.",
    closed(session=reference("Session"), csrf_token=CSRF_TOKEN),
    headers=["Set-Cookie"],
)
END_OTHERS_BY_QUERY: Final = {
    **parameter("query", "end_other_sessions", END_OTHERS, "Whether to end the other sessions."),
    "required": False,
}


proving: Final = partial(acting, before_second_factor=True)
"""What a session that owes a second factor can do, too: sign in anew, and prove one, …"""
setting_up: Final = partial(proving, Access.RECENT)
"""… or set one up."""


def changing(
    summary: str, *more: problems.Problem, status: HTTPStatus = HTTPStatus.OK, **takes: Node
) -> Node:
    """A change by somebody whose proof is recent, which can end the other sessions."""
    schema = {**closed(**takes, end_other_sessions=END_OTHERS), "required": list(takes)}
    return setting_up(summary, CHANGE, *more, takes=schema, status=status)


def removing(summary: str, *parameters: Node) -> Node:
    """The removal of a factor."""
    described = setting_up(summary, CHANGE, factor_problems.FACTOR_NOT_FOUND, BAD_REQUEST)
    return {**described, "parameters": [*parameters, END_OTHERS_BY_QUERY]}


FACTOR_PATHS: Final[dict[str, Node]] = {
    "/api/login/second-factor": {
        "post": proving(
            Access.PUBLIC,
            "Begin a new session after the password.",
            SIGNED_IN,
            factor_problems.WRONG_SECOND_FACTOR,
            factor_problems.CHALLENGE_EXPIRED,
            problems.SIGN_IN_INTERRUPTED,
            THROTTLED,
            problems.BUSY,
            takes=closed(challenge=CHALLENGE, code=CODE),
        )
    },
    "/api/login/passkey/options": {
        "post": proving(
            Access.PUBLIC,
            "Begin to sign in by a passkey: after the password, or in its place.",
            answer("For `navigator.credentials.get`.", OPTIONS),
            factor_problems.CHALLENGE_EXPIRED,
            factor_problems.PASSKEYS_UNAVAILABLE,
            takes={**closed(challenge=CHALLENGE), "required": []},
        )
    },
    "/api/login/passkey": {
        "post": proving(
            Access.PUBLIC,
            "Begin a new session by a passkey.",
            SIGNED_IN,
            factor_problems.PASSKEY_REFUSED,
            factor_problems.PASSKEYS_UNAVAILABLE,
            problems.SIGN_IN_INTERRUPTED,
            takes=closed(credential=CREDENTIAL),
        )
    },
    "/api/session/reauthenticate": {
        "post": proving(
            Access.SIGNED_IN,
            "Prove the password again. The token changes at once, without grace.",
            answer("The session.", closed(session=reference("Session")), headers=["Set-Cookie"]),
            MISSING,
            factor_problems.WRONG_CODE,
            problems.WRONG_PASSWORD,
            THROTTLED,
            problems.BUSY,
            takes={**closed(password=TEXT, code=CODE), "required": ["password"]},
        )
    },
    "/api/session/reauthenticate/passkey/options": {
        "post": proving(
            Access.SIGNED_IN,
            "Begin to prove a passkey.",
            answer("For `navigator.credentials.get`.", OPTIONS),
            factor_problems.PASSKEYS_UNAVAILABLE,
        )
    },
    "/api/session/reauthenticate/passkey": {
        "post": proving(
            Access.SIGNED_IN,
            "Prove a passkey in place of password and code. The token changes at once.",
            answer("The session.", closed(session=reference("Session")), headers=["Set-Cookie"]),
            factor_problems.WRONG_PASSKEY,
            factor_problems.PASSKEYS_UNAVAILABLE,
            takes=closed(credential=CREDENTIAL),
        )
    },
    "/api/factors": {
        "get": reading(
            Access.SIGNED_IN,
            "One's own second factors.",
            answer("All of them.", FACTORS),
            before_second_factor=True,
        )
    },
    "/api/totp": {
        "post": setting_up(
            "Begin to set an authenticator app up. Nothing is kept yet.",
            answer("What the app is told.", closed(secret=TEXT, uri=TEXT, setup=TEXT)),
        ),
        "put": changing(
            "Set the app up by its first code.",
            factor_problems.WRONG_CODE,
            factor_problems.SETUP_EXPIRED,
            factor_problems.FACTOR_EXISTS,
            setup=TEXT,
            code=TEXT,
        ),
        "delete": removing("Remove the app."),
    },
    "/api/recovery-codes": {
        "post": changing(
            "Make new recovery codes in place of the former ones.",
            factor_problems.NO_SECOND_FACTOR,
        )
    },
    "/api/passkeys/options": {
        "post": setting_up(
            "Begin to make a passkey.",
            answer("For `navigator.credentials.create`.", OPTIONS),
            factor_problems.PASSKEYS_UNAVAILABLE,
        )
    },
    "/api/passkeys": {
        "post": changing(
            "Keep a passkey that the browser made.",
            factor_problems.PASSKEYS_UNAVAILABLE,
            factor_problems.SETUP_EXPIRED,
            factor_problems.BAD_PASSKEY,
            factor_problems.BAD_PASSKEY_NAME,
            factor_problems.FACTOR_EXISTS,
            factor_problems.TOO_MANY_PASSKEYS,
            status=HTTPStatus.CREATED,
            credential=CREDENTIAL,
            name={**TEXT, "minLength": 1, "maxLength": PASSKEY_NAME_CHARACTERS},
        )
    },
    "/api/passkeys/{id}": {
        "delete": removing("Remove a passkey.", parameter("path", "id", PASSKEY_ID, "Of it."))
    },
}
