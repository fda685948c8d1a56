"""Operations: what a method declares is found again, for that method alone."""

from http import HTTPStatus

from handlers.http import problems
from handlers.http.body import Body
from handlers.http.operation import (
    Operation,
    answer,
    operation,
    operation_of,
    path_parameter,
    query_parameter,
)
from handlers.http.schemas import TEXT

TAKEN = Body({"note": TEXT})
ALL = answer("All notes.", TEXT)


class Notes:
    """A handler with declared methods and one that declares nothing."""

    @operation("Read all notes.", ALL)
    def get(self) -> str:
        """Return something."""
        return "all"

    @operation(
        "Write a note.",
        ALL,
        status=HTTPStatus.CREATED,
        takes=TAKEN,
        refuses=[problems.NOT_ADMIN],
    )
    def put(self) -> str:
        """Return something else."""
        return "written"

    def delete(self) -> None:
        """Do nothing."""


class MoreNotes(Notes):
    """Has the methods of its base, and one of its own in place of one of them."""

    def put(self) -> str:
        """Return something else again."""
        return "another"


def test_a_declared_method_is_the_method_that_it_was() -> None:
    assert Notes().get() == "all"
    assert Notes().put() == "written"


def test_a_declaration_is_found_by_the_method_in_any_case() -> None:
    assert operation_of(Notes, "GET") == Operation("Read all notes.", ALL)
    found = operation_of(Notes, "put")
    assert found == Operation(
        "Write a note.", ALL, HTTPStatus.CREATED, TAKEN, [problems.NOT_ADMIN], ()
    )


def test_a_method_without_a_declaration_has_none() -> None:
    assert operation_of(Notes, "delete") is None
    assert operation_of(Notes, "POST") is None
    assert operation_of(Notes, "") is None


def test_a_method_that_replaces_another_does_not_inherit_its_declaration() -> None:
    assert operation_of(MoreNotes, "get") is operation_of(Notes, "get")
    assert operation_of(MoreNotes, "put") is None


def test_an_answer_is_described_with_its_document_and_its_headers() -> None:
    described = answer("The note.", TEXT, headers=["Set-Cookie"])
    assert described == {
        "description": "The note.",
        "headers": {"Set-Cookie": {"schema": TEXT}},
        "content": {"application/json": {"schema": TEXT}},
    }


def test_a_part_of_the_path_is_always_required() -> None:
    part = path_parameter("id", TEXT, "Of the note.")
    assert (part["in"], part["required"], part["name"]) == ("path", True, "id")
    asked = query_parameter("page", TEXT, "Which page.", required=False)
    assert (asked["in"], asked["required"]) == ("query", False)
