"""The OpenAPI document: what a method declares is in it, and what follows from its class."""

from http import HTTPStatus
from typing import Any

import pytest
from tornado.web import RequestHandler, url

from handlers.http import problems
from handlers.http.access import Access
from handlers.http.base import BaseHandler
from handlers.http.body import Body
from handlers.http.operation import answer, operation, path_parameter, query_parameter
from handlers.http.schemas import TEXT, closed_object
from handlers.openapi.document import document, paths

NOTE = closed_object(note=TEXT)
TAKEN = Body({"note": TEXT}, optional={"title": TEXT})
PAGE = query_parameter("page", TEXT, "Which page.", required=False)


class Note(BaseHandler):
    """A route with declared methods and one that declares nothing."""

    parameters = (path_parameter("id", TEXT, "Of the note."),)

    @operation("Read a note.", answer("The note.", NOTE), parameters=[PAGE])
    def get(self) -> None:
        """Answer nothing."""

    @operation(
        "Write a note.",
        answer("It.", NOTE),
        status=HTTPStatus.CREATED,
        takes=TAKEN,
        refuses=[problems.NOT_FOUND],
    )
    def put(self) -> None:
        """Answer nothing."""

    def delete(self) -> None:
        """Answer nothing."""


ROUTE = r"/notes/([^/]+)"


def slugs(described: dict[str, Any], status: int) -> set[str]:
    """Return the problems that an operation may answer with a status."""
    refusal = described["responses"].get(str(status))
    if refusal is None:
        return set()
    types = refusal["content"]["application/problem+json"]["schema"]["properties"]["type"]["enum"]
    return {each.removeprefix("/problems/") for each in types}


def described(handler: type[RequestHandler], method: str) -> dict[str, Any]:
    """Return what the document says of a method."""
    ((_, item),) = paths([url(ROUTE, handler)]).items()
    found: dict[str, Any] = item[method]
    return found


def test_what_a_method_declares_appears() -> None:
    read, written = described(Note, "get"), described(Note, "put")
    assert (read["summary"], written["summary"]) == ("Read a note.", "Write a note.")
    assert read["responses"]["200"] == answer("The note.", NOTE)
    assert read["parameters"] == [PAGE]
    assert written["responses"]["201"] == answer("It.", NOTE)
    assert "200" not in written["responses"]
    assert written["requestBody"] == {
        "required": True,
        "content": {"application/json": {"schema": TAKEN.schema}},
    }
    assert "requestBody" not in read
    assert "not-found" in slugs(written, 404)
    assert not slugs(read, 404)


def test_a_path_has_the_names_of_its_parameters() -> None:
    ((path, item),) = paths([url(ROUTE, Note)]).items()
    assert path == "/notes/{id}"
    assert item["parameters"] == list(Note.parameters)


def test_what_declares_nothing_is_left_out() -> None:
    class Page(BaseHandler):
        def get(self) -> None: ...

    ((_, item),) = paths([url(ROUTE, Note)]).items()
    assert "delete" not in item
    assert paths([url("/", Page), url("/files", RequestHandler)]) == {}


def test_what_follows_from_a_session_is_added() -> None:
    read, written = described(Note, "get"), described(Note, "put")
    for each in (read, written):
        assert slugs(each, 401) == {"unauthenticated", "token-overtaken"}
        assert {"wrong-context", "second-factor-setup-required"} <= slugs(each, 403)
        assert slugs(each, 421) == {"unknown-host"}
        assert slugs(each, 503) == {"unavailable"}
        assert slugs(each, 500) == {"internal"}


def test_what_follows_from_a_change_is_added_for_changes_only() -> None:
    read, written = described(Note, "get"), described(Note, "put")
    of_a_change = {"forbidden-origin", "csrf-token-wrong"}
    assert of_a_change <= slugs(written, 403)
    assert not of_a_change & slugs(read, 403)
    assert (slugs(written, 413), slugs(read, 413)) == ({"body-too-large"}, set())
    assert written["security"] == [{"session": [], "csrf": []}]
    assert read["security"] == [{"session": []}]


def test_what_follows_from_a_body_is_added_where_there_is_one() -> None:
    assert slugs(described(Note, "put"), 400) == {"bad-request"}
    assert slugs(described(Note, "put"), 415) == {"unsupported-media-type"}
    assert not slugs(described(Note, "get"), 400)


@pytest.mark.parametrize(
    ("access", "unauthenticated", "refused"),
    [
        (Access.PUBLIC, False, set()),
        (Access.SESSION, True, set()),
        (Access.SIGNED_IN, True, set()),
        (Access.RECENT, True, {"reauthentication-required"}),
        (Access.ADMIN, True, {"reauthentication-required", "not-admin"}),
    ],
)
def test_what_follows_from_the_access_is_added(
    access: Access,
    unauthenticated: bool,  # noqa: FBT001
    refused: set[str],
) -> None:
    handler = type("Other", (Note,), {"access": access})
    read = described(handler, "get")
    assert bool(slugs(read, 401)) == unauthenticated
    assert slugs(read, 403) & {"reauthentication-required", "not-admin"} == refused
    assert ({} in read["security"]) == (access is Access.PUBLIC)


def test_access_to_change_counts_for_changes_alone() -> None:
    handler = type("Other", (Note,), {"access_to_change": Access.RECENT})
    assert "reauthentication-required" in slugs(described(handler, "put"), 403)
    assert "reauthentication-required" not in slugs(described(handler, "get"), 403)


def test_a_handler_that_serves_who_owes_a_second_factor_does_not_refuse_it() -> None:
    handler = type("Other", (Note,), {"before_second_factor": True})
    assert "second-factor-setup-required" not in slugs(described(handler, "get"), 403)


def test_a_handler_without_sessions_refuses_for_no_session() -> None:
    handler = type("Other", (Note,), {"has_session": False})
    read = described(handler, "get")
    assert set(read["responses"]) == {"200", "500"}
    assert read["security"] == []


def test_the_document_has_the_routes_and_the_name_of_the_cookie() -> None:
    whole = document([url(ROUTE, Note)], "a-cookie")
    assert whole["openapi"] == "3.1.0"
    assert whole["paths"] == paths([url(ROUTE, Note)])
    assert whole["components"]["securitySchemes"]["session"]["name"] == "a-cookie"
    assert "Problem" in whole["components"]["schemas"]
