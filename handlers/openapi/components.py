"""The shared parts of the OpenAPI description: what several answers consist of."""

from typing import Final

from handlers.http.schemas import (
    BOOLEAN,
    COUNT,
    END_ID,
    GENERATION,
    SESSION_ID,
    TEXT,
    TIME,
    USER,
    Node,
    closed_object,
    nullable,
    one_of_words,
    with_optional,
)
from server.core.activity import SHOWN
from server.core.factors import Method
from server.core.reasons import UNAUTHENTICATED, Reason
from server.core.receipt import Durability, State

REMEMBERED: Final[Node] = {
    "const": True,
    "description": "There if its owner chose at sign-in to be remembered; its timeouts are longer.",
}
SESSION: Final = with_optional(
    closed_object(
        id=SESSION_ID,
        user=nullable(USER),
        generation=GENERATION,
        created_at=TIME,
        authenticated_at=nullable(TIME),
        last_active_at=TIME,
        idle_expires_at=TIME,
        absolute_expires_at=TIME,
    ),
    remembered=REMEMBERED,
)
LISTED_SESSION: Final = with_optional(
    closed_object(
        id=SESSION_ID,
        current={**BOOLEAN, "description": "Whether it is the one that asks."},
        device={**TEXT, "description": "Browser and system, as the browser named them."},
        ip=TEXT,
        created_at=TIME,
        last_active_at=TIME,
        sockets={**COUNT, "description": "Its open sockets on all live nodes."},
    ),
    remembered=REMEMBERED,
)
ACTIVITY: Final = closed_object(
    event={
        **one_of_words(sorted(SHOWN)),
        "description": "In the words of the OWASP Logging Vocabulary, as in the log.",
    },
    detail={
        **nullable(TEXT),
        "description": "Of `session_expired`: the reason word. Of a factor: which. Of "
        "`user_updated`: the change.",
    },
    at={**TIME, "description": "When it happened last, in Unix seconds."},
    since={**TIME, "description": "When it happened first: entries alike are added up."},
    count={**COUNT, "minimum": 1},
    device={**nullable(TEXT), "description": "Browser and system, as the browser named them."},
    ip=nullable(TEXT),
    administrator={**BOOLEAN, "description": "Whether an administrator did it."},
)
ACCOUNT: Final = closed_object(
    user=USER,
    name={**TEXT, "description": "The user name as its owner spelled it."},
    admin=BOOLEAN,
    disabled={**BOOLEAN, "description": "Whether sign-in is refused."},
    second_factor={**BOOLEAN, "description": "Whether signing in takes more than the password."},
    created_at=TIME,
    renaming_to={
        **nullable(TEXT),
        "description": "The name of a rename that was interrupted; asked for again, it goes on.",
    },
)
RECEIPT: Final = closed_object(
    event=END_ID,
    state={
        **one_of_words(State),
        "description": "The sessions are dead in the store in each of them. `complete`: all "
        "nodes acknowledged. `bounded`: the rest have lost their lease. `pending`: the "
        "wait ended first.",
    },
    sessions={**COUNT, "description": "How many sessions this call ended."},
    sockets_closed=COUNT,
    nodes=closed_object(acked=COUNT, lease_expired=COUNT, waiting=COUNT),
    durability=one_of_words(Durability),
    elapsed_ms={"type": "number", "minimum": 0},
)
PROBLEM: Final[Node] = {
    "type": "object",
    "description": "An error as of RFC 9457.",
    "properties": {
        "type": {**TEXT, "description": "Stable; a program decides by this."},
        "title": TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {**TEXT, "description": "For people."},
        "reason": {
            **one_of_words([*Reason, UNAUTHENTICATED]),
            "description": "Of `unauthenticated`: why the session ended.",
        },
        "event": {**nullable(END_ID), "description": "Of `unauthenticated`: id of the end."},
        "methods": {
            "type": "array",
            "items": one_of_words(Method),
            "description": "Of `second-factor-required`: how it can be proved.",
        },
        "challenge": {
            **TEXT,
            "description": "Of `second-factor-required`: goes with the code.",
        },
    },
    "required": ["type", "title", "status", "detail"],
    "additionalProperties": False,
}

SCHEMAS: Final[dict[str, Node]] = {
    "Session": SESSION,
    "ListedSession": LISTED_SESSION,
    "Account": ACCOUNT,
    "Activity": ACTIVITY,
    "Receipt": RECEIPT,
    "Problem": PROBLEM,
}


def security_schemes(cookie_name: str) -> dict[str, Node]:
    """Return how a request shows its session.

    Args:
        cookie_name: of the session cookie.
    """
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
