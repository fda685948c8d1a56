"""The operations of the OpenAPI description: what kinds of routes have in common.

RejectedEntries are made from the problems that the handlers raise, so their words cannot differ.
"""

from collections.abc import Iterable
from http import HTTPStatus
from itertools import groupby
from operator import attrgetter
from typing import Final

from handlers.http import problems
from handlers.http.access import Access
from handlers.http.body import UNSUPPORTED
from handlers.http.problems import TYPE_PREFIX, Problem
from handlers.openapi.schemas import TEXT, Node, reference, words
from server.core.reasons import NoSession

NOT_LIVE: Final = (problems.unauthenticated(NoSession()), problems.TOKEN_OVERTAKEN)
BAD_REQUEST: Final = problems.bad_request("")
OF_A_SESSION: Final = (
    problems.UNKNOWN_HOST,
    problems.WRONG_CONTEXT,
    problems.UNAVAILABLE,
    problems.WRITE_CONFLICT,
    problems.INTERNAL,
)
OF_AN_ACT: Final = (
    problems.forbidden_origin(""),
    problems.CSRF_TOKEN_WRONG,
    problems.BODY_TOO_LARGE,
)
BY_ACCESS: Final[dict[Access, tuple[Problem, ...]]] = {
    Access.PUBLIC: (),
    Access.SESSION: NOT_LIVE,
    Access.SIGNED_IN: NOT_LIVE,
    Access.RECENT: (*NOT_LIVE, problems.REAUTHENTICATION_REQUIRED),
    Access.ADMIN: (*NOT_LIVE, problems.REAUTHENTICATION_REQUIRED, problems.NOT_ADMIN),
}
WITH_SESSION: Final[Node] = {"session": []}
WITH_TOKEN: Final[Node] = {"session": [], "csrf": []}


def reading(
    access: Access, summary: str, ok: Node, *more: Problem, before_second_factor: bool = False
) -> Node:
    """A GET. It changes nothing."""
    security: list[Node] = [{}, WITH_SESSION] if access is Access.PUBLIC else [WITH_SESSION]
    refused = [
        *OF_A_SESSION,
        *BY_ACCESS[access],
        *_owed(before_second_factor=before_second_factor),
        *more,
    ]
    return _operation(summary, {"200": ok}, refused, security)


def acting(
    access: Access,
    summary: str,
    ok: Node,
    *more: Problem,
    takes: Node | None = None,
    status: HTTPStatus = HTTPStatus.OK,
    before_second_factor: bool = False,
) -> Node:
    """A method that changes something: with a session it owes the CSRF token."""
    owed = _owed(before_second_factor=before_second_factor)
    refused = [*OF_A_SESSION, *BY_ACCESS[access], *owed, *OF_AN_ACT, *more]
    security: list[Node] = [{}, WITH_TOKEN] if access is Access.PUBLIC else [WITH_TOKEN]
    if takes is None:
        return _operation(summary, {str(status): ok}, refused, security)
    refused += [BAD_REQUEST, UNSUPPORTED]
    operation = _operation(summary, {str(status): ok}, refused, security)
    return {**operation, "requestBody": body(takes)}


def probing(summary: str, ok: Node, *more: Problem) -> Node:
    """A GET that looks at no session."""
    return _operation(summary, {"200": ok}, [*more, problems.INTERNAL], [])


def _owed(*, before_second_factor: bool) -> list[Problem]:
    return [] if before_second_factor else [problems.SECOND_FACTOR_SETUP_REQUIRED]


def _operation(
    summary: str, ok: dict[str, Node], refused: Iterable[Problem], security: list[Node]
) -> Node:
    return {"summary": summary, "security": security, "responses": {**ok, **refusals(refused)}}


def answer(description: str, schema: Node, *, headers: Iterable[str] = ()) -> Node:
    """An answer with a JSON document."""
    return {
        "description": description,
        "headers": {name: {"schema": TEXT} for name in headers},
        "content": {"application/json": {"schema": schema}},
    }


def body(schema: Node) -> Node:
    """The document that a request must carry."""
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def refusals(expected: Iterable[Problem]) -> dict[str, Node]:
    """The answers for these problems, one for each status."""
    by_status = groupby(sorted(expected, key=attrgetter("status")), attrgetter("status"))
    return {str(status): _refusal(list(alike)) for status, alike in by_status}


def _refusal(alike: list[Problem]) -> Node:
    told = {each.slug: each.title for each in alike}
    schema = {
        "allOf": [reference("Problem")],
        "properties": {"type": words(TYPE_PREFIX + slug for slug in told)},
    }
    return {
        "description": " ".join(f"`{slug}`: {title}." for slug, title in told.items()),
        "content": {"application/problem+json": {"schema": schema}},
    }


def parameter(place: str, name: str, schema: Node, description: str) -> Node:
    """A required part of the path or the query."""
    return {
        "name": name,
        "in": place,
        "required": True,
        "schema": schema,
        "description": description,
    }
