"""Reading request bodies: positive validation, strict types, no unknown fields."""

from collections.abc import Mapping
from typing import Final

from tornado.httputil import HTTPServerRequest

from handlers.http.problems import Problem, ProblemRaised, bad_request
from server.core import strict_json
from server.core.session import Json

MAX_BODY_BYTES: Final = 128 * 1024
"""Twice the largest session data, as JSON escapes may double it."""

UNSUPPORTED = Problem(
    415,
    "unsupported-media-type",
    "The body must be JSON",
    "Send the body with Content-Type: application/json.",
)


def read_json(request: HTTPServerRequest) -> Json:
    """The body's value.

    Raises:
        ProblemRaised: 415 for another media type, 400 for what is not JSON in UTF-8, or is JSON
            that could not be handed on.
    """
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise ProblemRaised(UNSUPPORTED)
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
    """The body's object, with exactly these fields and types.

    Args:
        request: the request.
        required: fields that must be there, with their Python type.
        optional: fields that may.

    Raises:
        ProblemRaised: as `read_json`, and 400 for any other shape.
    """
    body = read_json(request)
    if not isinstance(body, dict):
        raise ProblemRaised(bad_request("The body must be a JSON object."))
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


def _shown(name: str) -> str:
    return ascii(name[:40])
