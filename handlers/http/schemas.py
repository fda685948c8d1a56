"""The JSON Schemas that several declarations use: the primitives, and our own values.

Enumerations and bounds are taken from the code, so that the description cannot differ from it.
"""

from collections.abc import Iterable
from typing import Any, Final

from server.core.credentials import (
    ADDRESS_MAX_BYTES,
    PASSWORD_MAX_BYTES,
    PASSWORD_MIN_CHARACTERS,
    USERNAME_CHARACTERS,
)
from server.core.token import MAX_GENERATION, SID_PATTERN

Node = dict[str, Any]
"""A part of an OpenAPI document."""

END_ID_PATTERN: Final = "^[0-9a-f]{32}(-limit)?$"


def closed_object(**properties: Node) -> Node:
    """Return the schema of an object with exactly these properties, all required."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def with_optional(schema: Node, **properties: Node) -> Node:
    """Return the schema of the same object with properties that may be missing."""
    return {**schema, "properties": {**schema["properties"], **properties}}


def reference(name: str) -> Node:
    """Return a reference to a shared schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Node) -> Node:
    """Return the schema of the same value or null."""
    return {**schema, "type": [schema["type"], "null"]}


def one_of_words(choices: Iterable[str]) -> Node:
    """Return the schema of one of these words."""
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
END_ID: Final[Node] = {
    "type": "string",
    "pattern": END_ID_PATTERN,
    "description": "Id of the end: the same in the receipt, in frames and in the log.",
}
USER: Final[Node] = {
    "type": "string",
    "pattern": "^\\S+$",
    "minLength": USERNAME_CHARACTERS.start - 1,
    "maxLength": ADDRESS_MAX_BYTES,
    "description": "A user name in its canonical form: 3 to 32 letters, digits, `.`, `_` and `-`, "
    "or an e-mail address, by RFC 8265.",
}
NEW_USER: Final[Node] = {
    **USER,
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
REMEMBER: Final[Node] = {
    **BOOLEAN,
    "description": "True: the cookie outlives the browser, and the session has longer timeouts. "
    "False: the cookie ends with the browser. Left out: as the server's setting says.",
}
END_OTHERS: Final[Node] = {**BOOLEAN, "default": True}
CREDENTIAL: Final[Node] = {
    "type": "object",
    "additionalProperties": True,
    "description": "What `PublicKeyCredential.toJSON()` gives.",
}
