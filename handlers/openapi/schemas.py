"""The schemas of the OpenAPI description.

Words that the code has as enumerations are taken from it, so they cannot differ.
"""

from collections.abc import Iterable
from typing import Any, Final

from server.core.activity import SHOWN
from server.core.credentials import (
    PASSWORD_MAX_BYTES,
    PASSWORD_MIN_CHARACTERS,
    USERNAME_CHARACTERS,
)
from server.core.factors import Method
from server.core.reasons import UNAUTHENTICATED, Reason
from server.core.receipt import Durability, State
from server.core.token import MAX_GENERATION, SID_PATTERN

Node = dict[str, Any]
"""A part of the document."""

EVENT_PATTERN: Final = "^[0-9a-f]{32}(-limit)?$"


def closed(**properties: Node) -> Node:
    """An object with exactly these properties, all of them there."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def reference(name: str) -> Node:
    """A schema of `SCHEMAS` by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Node) -> Node:
    """The same, or null."""
    return {**schema, "type": [schema["type"], "null"]}


def words(choices: Iterable[str]) -> Node:
    """One of these words."""
    return {"type": "string", "enum": [str(each) for each in choices]}


BOOLEAN: Final[Node] = {"type": "boolean"}
COUNT: Final[Node] = {"type": "integer", "minimum": 0}
TEXT: Final[Node] = {"type": "string"}
TIME: Final[Node] = {"type": "number", "description": "Unix seconds on the store's clock."}
GENERATION: Final[Node] = {
    "type": "integer",
    "minimum": 1,
    "maximum": MAX_GENERATION,
    "description": "The number of the current token.",
}
SESSION_ID: Final[Node] = {
    "type": "string",
    "pattern": f"^{SID_PATTERN}$",
    "description": "A stable public handle; no credential.",
}
EVENT: Final[Node] = {
    "type": "string",
    "pattern": EVENT_PATTERN,
    "description": "Id of the end: the same in the receipt, in frames and in the log.",
}
USER: Final[Node] = {
    "type": "string",
    "pattern": "^[a-z0-9]+([._-][a-z0-9]+)*$",
    "minLength": USERNAME_CHARACTERS.start,
    "maxLength": USERNAME_CHARACTERS.stop - 1,
    "description": "A user name in its canonical form.",
}
NEW_USER: Final[Node] = {
    **USER,
    "pattern": "^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$",
    "description": "A user name, in any case of letters.",
}
NEW_PASSWORD: Final[Node] = {
    "type": "string",
    "minLength": PASSWORD_MIN_CHARACTERS,
    "description": f"At most {PASSWORD_MAX_BYTES} bytes, and not easy to guess.",
}
CSRF_TOKEN: Final[Node] = {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"}
DATA: Final[Node] = {
    "type": "object",
    "additionalProperties": True,
    "description": "The application's mapping: top-level keys to JSON values.",
}

SCHEMAS: Final[dict[str, Node]] = {
    "Session": closed(
        id=SESSION_ID,
        user=nullable(USER),
        generation=GENERATION,
        created_at=TIME,
        authenticated_at=nullable(TIME),
        last_active_at=TIME,
        idle_expires_at=TIME,
        absolute_expires_at=TIME,
    ),
    "ListedSession": closed(
        id=SESSION_ID,
        current={**BOOLEAN, "description": "Whether it is the one that asks."},
        device={**TEXT, "description": "Browser and system, as the browser named them."},
        ip=TEXT,
        created_at=TIME,
        last_active_at=TIME,
        sockets={**COUNT, "description": "Its open sockets on all live nodes."},
    ),
    "Activity": closed(
        event={
            **words(sorted(SHOWN)),
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
    ),
    "Receipt": closed(
        event=EVENT,
        state={
            **words(State),
            "description": "The sessions are dead in the store in each of them. `complete`: all "
            "nodes acknowledged. `bounded`: the rest have lost their lease. `pending`: the "
            "wait ended first.",
        },
        sessions={**COUNT, "description": "How many sessions this call ended."},
        sockets_closed=COUNT,
        nodes=closed(acked=COUNT, lease_expired=COUNT, waiting=COUNT),
        durability=words(Durability),
        elapsed_ms={"type": "number", "minimum": 0},
    ),
    "Problem": {
        "type": "object",
        "description": "An error as of RFC 9457.",
        "properties": {
            "type": {**TEXT, "description": "Stable; a program decides by this."},
            "title": TEXT,
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {**TEXT, "description": "For people."},
            "reason": {
                **words([*Reason, UNAUTHENTICATED]),
                "description": "Of `unauthenticated`: why the session ended.",
            },
            "event": {**nullable(EVENT), "description": "Of `unauthenticated`: id of the end."},
            "methods": {
                "type": "array",
                "items": words(Method),
                "description": "Of `second-factor-required`: how it can be proved.",
            },
            "challenge": {
                **TEXT,
                "description": "Of `second-factor-required`: goes with the code.",
            },
        },
        "required": ["type", "title", "status", "detail"],
        "additionalProperties": False,
    },
}
