"""The OpenAPI 3.1 document, made from the routes and from what their handlers declare.

A method's operation says what the method itself refuses. This adds what follows from the handler's
class: host, session, access, CSRF token, a second factor that is owed. Tests compare the document
with what the running server answers.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final

from tornado.routing import PathMatches, URLSpec

from handlers.http import problems
from handlers.http.access import Access
from handlers.http.base import SAFE_METHODS, BaseHandler
from handlers.http.operation import Operation, operation_of
from handlers.http.problems import TYPE_PREFIX, Problem
from handlers.http.schemas import Node, one_of_words, reference
from handlers.openapi.components import SCHEMAS, security_schemes
from server import VERSION

DESCRIPTION: Final = (
    "Sockets (`GET /ws`) are described in docs/protocol.md. A request that changes something needs "
    "an allowed `Origin`; a program that sends neither `Origin` nor `Sec-Fetch-Site` needs none. "
    "Every answer is `no-store`."
)
METHODS: Final = ("get", "post", "put", "patch", "delete")

OF_A_SESSION: Final = (
    problems.UNKNOWN_HOST,
    problems.WRONG_CONTEXT,
    problems.UNAVAILABLE,
    problems.WRITE_CONFLICT,
    problems.INTERNAL,
)
OF_A_CHANGE: Final = (
    problems.forbidden_origin(""),
    problems.CSRF_TOKEN_WRONG,
    problems.BODY_TOO_LARGE,
)
OF_A_BODY: Final = (problems.bad_request(""), problems.UNSUPPORTED_MEDIA_TYPE)
BY_ACCESS: Final[dict[Access, tuple[Problem, ...]]] = {
    Access.PUBLIC: (),
    Access.SESSION: problems.NO_LIVE_SESSION,
    Access.SIGNED_IN: problems.NO_LIVE_SESSION,
    Access.RECENT: (*problems.NO_LIVE_SESSION, problems.REAUTHENTICATION_REQUIRED),
    Access.ADMIN: (
        *problems.NO_LIVE_SESSION,
        problems.REAUTHENTICATION_REQUIRED,
        problems.NOT_ADMIN,
    ),
}


def document(
    routes: Iterable[URLSpec], cookie_name: str, base_path: str = "", title: str = "Curfew"
) -> Node:
    """Return the whole description.

    Args:
        routes: of the application. Routes whose handlers declare nothing are left out.
        cookie_name: of the session cookie.
        base_path: before all paths; empty for none.
        title: the name of the application.
    """
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": VERSION, "description": DESCRIPTION},
        **({"servers": [{"url": base_path}]} if base_path else {}),
        "paths": paths(routes),
        "components": {"schemas": SCHEMAS, "securitySchemes": security_schemes(cookie_name)},
    }


def paths(routes: Iterable[URLSpec]) -> dict[str, Node]:
    """Return the path items of all routes that declare an operation."""
    return dict(_path_items(routes))


def _path_items(routes: Iterable[URLSpec]) -> Iterator[tuple[str, Node]]:
    for route in routes:
        handler = route.handler_class
        if not issubclass(handler, BaseHandler) or not isinstance(route.matcher, PathMatches):
            continue
        declared = {each: found for each in METHODS if (found := operation_of(handler, each))}
        if declared:
            item = {each: _describe(handler, each, found) for each, found in declared.items()}
            shared = {"parameters": list(handler.parameters)} if handler.parameters else {}
            parameters = [*handler.parameters, *next(iter(declared.values())).parameters]
            yield _template(route.matcher, parameters), {**shared, **item}


def _template(matcher: PathMatches, parameters: Sequence[Node]) -> str:
    """Return the path with the names of its parameters in braces."""
    names = [each["name"] for each in parameters if each["in"] == "path"]
    path = matcher.reverse(*(f"{{{name}}}" for name in names))
    return (path or "").replace("%7B", "{").replace("%7D", "}")


def _describe(handler: type[BaseHandler], method: str, declared: Operation) -> Node:
    refused = [*_refused_by_class(handler, method), *declared.refuses]
    if declared.takes is not None:
        refused += OF_A_BODY
    if not handler.has_session:
        refused.append(problems.INTERNAL)
    described: Node = {
        "summary": declared.summary,
        "security": _security(handler, method),
        "responses": {str(declared.status): declared.answers, **_refusals(refused)},
    }
    if declared.takes is not None:
        content = {"application/json": {"schema": declared.takes.schema}}
        described["requestBody"] = {"required": True, "content": content}
    if declared.parameters:
        described["parameters"] = list(declared.parameters)
    return described


def _refused_by_class(handler: type[BaseHandler], method: str) -> list[Problem]:
    if not handler.has_session:
        return []
    owed = () if handler.before_second_factor else (problems.SECOND_FACTOR_SETUP_REQUIRED,)
    changes = () if _is_safe(method) else OF_A_CHANGE
    access = handler.access_for(changes_something=not _is_safe(method))
    return [*OF_A_SESSION, *BY_ACCESS[access], *owed, *changes]


def _security(handler: type[BaseHandler], method: str) -> list[Node]:
    if not handler.has_session:
        return []
    shown: Node = {"session": []} if _is_safe(method) else {"session": [], "csrf": []}
    is_public = handler.access_for(changes_something=not _is_safe(method)) is Access.PUBLIC
    return [{}, shown] if is_public else [shown]


def _is_safe(method: str) -> bool:
    return method.upper() in SAFE_METHODS


def _refusals(expected: Iterable[Problem]) -> dict[str, Node]:
    """Return one answer for each status that these problems have."""
    by_status = groupby(sorted(expected, key=attrgetter("status")), attrgetter("status"))
    return {str(status): _refusal(list(alike)) for status, alike in by_status}


def _refusal(alike: Sequence[Problem]) -> Node:
    titles = {each.slug: each.title for each in alike}
    schema = {
        "allOf": [reference("Problem")],
        "properties": {"type": one_of_words(TYPE_PREFIX + slug for slug in titles)},
    }
    return {
        "description": " ".join(f"`{slug}`: {title}." for slug, title in titles.items()),
        "content": {"application/problem+json": {"schema": schema}},
    }
