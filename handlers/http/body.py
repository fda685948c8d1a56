"""Request bodies: declared once, read strictly. No unknown fields, no other types.

A handler's method declares its body in its operation (`handlers.http.operation`). `/openapi.json`
shows this declaration, and `BaseHandler.read_body` reads the body by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tornado.httputil import HTTPServerRequest

from handlers.http.problems import UNSUPPORTED_MEDIA_TYPE, ProblemRaised, bad_request
from handlers.http.schemas import Node
from server.core import schema_flaws, strict_json
from server.core.session import Json
from server.core.typed_text import trimmed

MAX_BODY_BYTES: Final = 128 * 1024
"""Twice the largest session data: JSON escapes may double its size."""
PYTHON_TYPES: Final[Mapping[str, type]] = {"string": str, "boolean": bool, "object": dict}
"""The Python type of each JSON type that a field of a body may have."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a body that fits its declaration.

    Attributes:
        values: as they were sent.
        declared: the body's declaration, which has the defaults.
    """

    values: Mapping[str, Json]
    declared: "Body"

    def __contains__(self, name: object) -> bool:
        """Return whether the field was sent."""
        return name in self.values

    def text(self, name: str) -> str:
        """Return a text; empty if the field is optional and was not sent."""
        return str(self.values.get(name, ""))

    def typed(self, name: str) -> str:
        """Return a name that a person typed, without the blanks around it."""
        return trimmed(self.text(name))

    def flag(self, name: str) -> bool:
        """Return a truth value; the declared default if the field was not sent."""
        return bool(self.values.get(name, self.declared.optional.get(name, {}).get("default")))

    def choice(self, name: str) -> bool | None:
        """Return a truth value; None if the field was not sent."""
        return self.flag(name) if name in self else None

    def mapping(self, name: str) -> dict[str, Json]:
        """Return an object; empty if the field was not sent."""
        value = self.values.get(name)
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True)
class Body:
    """A JSON object that a request must carry.

    Attributes:
        required: the schema of each field that must be there.
        optional: the schema of each field that may be there, with its default if it has one.
        free_form: the schema of an object with fields of the client's choice, in place of both.
    """

    required: Mapping[str, Node] = field(default_factory=dict)
    optional: Mapping[str, Node] = field(default_factory=dict)
    free_form: Node | None = None

    @property
    def schema(self) -> Node:
        """The JSON Schema of the body."""
        if self.free_form is not None:
            return self.free_form
        return {
            "type": "object",
            "properties": {**self.required, **self.optional},
            "required": list(self.required),
            "additionalProperties": False,
        }

    def read(self, request: HTTPServerRequest) -> Fields:
        """Return the fields of a request's body.

        Raises:
            ProblemRaised: 415 for another media type, 400 for what does not fit.
        """
        if self.free_form is not None:
            return Fields(_read_mapping(request), self)
        return Fields(read_object(request, _types(self.required), _types(self.optional)), self)


@dataclass(frozen=True, slots=True)
class CheckedBody(Body):
    """A JSON object that a request must carry, and whose fields fit their schemas in all they say.

    Raises:
        TypeError: a schema has a keyword that is not checked.
    """

    def __post_init__(self) -> None:
        """Refuse what `/openapi.json` would promise and nobody would check."""
        if unknown := schema_flaws.unknown_keywords(self.schema):
            raise TypeError(f"nobody checks {', '.join(sorted(unknown))} in the schema of a body")

    def read(self, request: HTTPServerRequest) -> Fields:
        """Return the fields of a request's body; see `Body`."""
        body = _read_mapping(request)
        for name in self.required:
            if name not in body:
                raise ProblemRaised(bad_request(f"The field `{name}` is missing."))
        schemas = {**self.required, **self.optional}
        for name, value in body.items():
            if self.free_form is None and name not in schemas:
                raise ProblemRaised(bad_request(f"The body has a field too many: {_shown(name)}."))
            if flaw := schema_flaws.flaw_of(value, schemas.get(name, {})):
                raise ProblemRaised(bad_request(f"The field `{name}` {flaw}."))
        if self.free_form is not None and (flaw := schema_flaws.flaw_of(body, self.free_form)):
            raise ProblemRaised(bad_request(f"The body {flaw}."))
        return Fields(body, self)


def read_json(request: HTTPServerRequest) -> Json:
    """Return the value of a body.

    Raises:
        ProblemRaised: 415 for another media type, 400 for what is not JSON in UTF-8, or is JSON
            that cannot be stored or sent on.
    """
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise ProblemRaised(UNSUPPORTED_MEDIA_TYPE)
    try:
        value = strict_json.parse(request.body)
    except strict_json.NotJson:
        raise ProblemRaised(bad_request("The body is not JSON in UTF-8.")) from None
    if flaw := strict_json.flaw_of(value):
        raise ProblemRaised(bad_request(f"The body cannot be kept. {flaw}"))
    return value


def read_object(
    request: HTTPServerRequest,
    required: Mapping[str, type],
    optional: Mapping[str, type] | None = None,
) -> dict[str, Json]:
    """Return the object in a body, with exactly these fields and types.

    Args:
        request: the request.
        required: fields that must be there, with their Python type.
        optional: fields that may be there.

    Raises:
        ProblemRaised: as `read_json`, and 400 for any other shape.
    """
    body = _read_mapping(request)
    known = {**required, **(optional or {})}
    for name in required:
        if name not in body:
            raise ProblemRaised(bad_request(f"The field `{name}` is missing."))
    for name, value in body.items():
        if name not in known:
            raise ProblemRaised(bad_request(f"The body has a field too many: {_shown(name)}."))
        if type(value) is not known[name]:
            raise ProblemRaised(bad_request(f"The field `{name}` has the wrong type."))
    return body


def _read_mapping(request: HTTPServerRequest) -> dict[str, Json]:
    body = read_json(request)
    if not isinstance(body, dict):
        raise ProblemRaised(bad_request("The body must be a JSON object."))
    return body


def _types(fields: Mapping[str, Node]) -> dict[str, type]:
    return {name: PYTHON_TYPES[schema["type"]] for name, schema in fields.items()}


def _shown(name: str) -> str:
    return ascii(name[:40])
