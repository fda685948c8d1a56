"""What a method of a JSON handler declares: what it takes, answers and refuses.

The declaration stands on the method. `BaseHandler.read_body` reads the body by it, and
`handlers/openapi` makes `/openapi.json` from it. What follows from the handler's class is not
repeated here: access, CSRF token, hosts, a second factor that is owed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, TypeVar

from handlers.http.body import Body
from handlers.http.problems import Problem
from handlers.http.schemas import TEXT, Node

Method = TypeVar("Method", bound=Callable[..., Any])

ATTRIBUTE: Final = "operation"


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one route.

    Attributes:
        summary: what it does, as a sentence.
        answers: the description of the answer if the method succeeds.
        status: of this answer.
        takes: the body, if any.
        refuses: problems that only this method has.
        parameters: parts of the path or the query, in the order of the path.
    """

    summary: str
    answers: Node
    status: HTTPStatus = HTTPStatus.OK
    takes: Body | None = None
    refuses: Sequence[Problem] = ()
    parameters: Sequence[Node] = ()


def operation(summary: str, answers: Node, **more: Any) -> Callable[[Method], Method]:
    """Declare what the decorated method does; the arguments are those of `Operation`."""
    declared = Operation(summary, answers, **more)

    def declare(method: Method) -> Method:
        setattr(method, ATTRIBUTE, declared)
        return method

    return declare


def operation_of(handler: type, method: str) -> Operation | None:
    """Return what a handler declares for a method.

    Args:
        handler: its class.
        method: of HTTP, in any case of letters.
    """
    found = getattr(getattr(handler, method.lower(), None), ATTRIBUTE, None)
    return found if isinstance(found, Operation) else None


def answer(description: str, schema: Node, *, headers: Iterable[str] = ()) -> Node:
    """Return the description of an answer with a JSON document.

    Args:
        description: of the answer, as a sentence.
        schema: of the document.
        headers: names of headers that come with it.
    """
    return {
        "description": description,
        "headers": {name: {"schema": TEXT} for name in headers},
        "content": {"application/json": {"schema": schema}},
    }


def path_parameter(name: str, schema: Node, description: str) -> Node:
    """Return the description of a part of the path."""
    return _parameter("path", name, schema, description, required=True)


def query_parameter(name: str, schema: Node, description: str, *, required: bool = True) -> Node:
    """Return the description of a part of the query."""
    return _parameter("query", name, schema, description, required=required)


def _parameter(place: str, name: str, schema: Node, description: str, *, required: bool) -> Node:
    return {
        "name": name,
        "in": place,
        "required": required,
        "schema": schema,
        "description": description,
    }
