"""Where requests may come from: compared to the letter, one header and one value."""

import pytest
from tornado.httputil import HTTPHeaders

from handlers.http.origins import (
    FOR_PEOPLE,
    FOR_SCRIPTS,
    problem_with_destination,
    problem_with_origin,
    problem_with_socket_origin,
)

OURS = frozenset({"https://curfew.example", "http://localhost:8888"})
FOREIGN = [
    "",
    "null",
    "https://evil.example",
    "http://curfew.example",
    "https://curfew.example:8443",
    "https://curfew.example/",
    "https://CURFEW.example",
    "https://curfew.example.evil.example",
    "https://evil.example/https://curfew.example",
    "https://curfew.example, https://curfew.example",
]


def headers(**values: str | list[str]) -> HTTPHeaders:
    """Return headers; a list gives several of one name, an underscore stands for a hyphen."""
    found = HTTPHeaders()
    for name, value in values.items():
        for each in [value] if isinstance(value, str) else value:
            found.add(name.replace("_", "-"), each)
    return found


@pytest.mark.parametrize("origin", sorted(OURS))
def test_our_own_pages_may_change_something_and_open_sockets(origin: str) -> None:
    assert problem_with_origin(headers(Origin=origin), OURS) is None
    assert problem_with_socket_origin(headers(Origin=origin), OURS) is None
    # What the browser says of the site counts less than the origin it names.
    named = headers(Origin=origin, Sec_Fetch_Site="cross-site")
    assert problem_with_origin(named, OURS) is None


@pytest.mark.parametrize("origin", FOREIGN)
def test_any_other_origin_may_not(origin: str) -> None:
    for refuse in (problem_with_origin, problem_with_socket_origin):
        problem = refuse(headers(Origin=origin, Sec_Fetch_Site="same-origin"), OURS)
        assert problem is not None
        assert (problem.status, problem.slug) == (403, "forbidden-origin")


def test_two_origins_are_none_even_if_both_are_ours() -> None:
    doubled = headers(Origin=["https://curfew.example", "https://curfew.example"])
    assert problem_with_origin(doubled, OURS) is not None
    assert problem_with_socket_origin(doubled, OURS) is not None


@pytest.mark.parametrize("site", ["same-site", "cross-site", "none", "Same-Origin", ""])
def test_without_an_origin_the_browser_must_name_the_same_origin(site: str) -> None:
    assert problem_with_origin(headers(Sec_Fetch_Site=site), OURS) is not None
    assert problem_with_origin(headers(Sec_Fetch_Site="same-origin"), OURS) is None


def test_a_program_that_names_no_site_may_change_something_but_open_no_socket() -> None:
    assert problem_with_origin(headers(), OURS) is None
    assert problem_with_socket_origin(headers(), OURS) is not None
    assert problem_with_socket_origin(headers(Sec_Fetch_Site="same-origin"), OURS) is not None


def test_where_no_origin_is_ours_no_browser_may_do_anything() -> None:
    assert problem_with_origin(headers(Origin=""), frozenset()) is not None
    assert problem_with_socket_origin(headers(), frozenset()) is not None


@pytest.mark.parametrize(
    ("destination", "scripts", "people"),
    [
        ("empty", True, True),
        ("document", False, True),
        ("iframe", False, False),
        ("script", False, False),
        ("image", False, False),
        ("style", False, False),
        ("worker", False, False),
        ("Empty", False, False),
        ("", False, False),
    ],
)
def test_a_browser_may_use_an_answer_for_what_it_is_for(
    destination: str,
    scripts: bool,  # noqa: FBT001
    people: bool,  # noqa: FBT001
) -> None:
    sent = headers(Sec_Fetch_Dest=destination)
    assert (problem_with_destination(sent, FOR_SCRIPTS) is None) == scripts
    assert (problem_with_destination(sent, FOR_PEOPLE) is None) == people


def test_a_client_that_names_no_destination_is_answered() -> None:
    assert problem_with_destination(headers(), FOR_SCRIPTS) is None


def test_a_misplaced_answer_is_refused_with_its_own_problem() -> None:
    problem = problem_with_destination(headers(Sec_Fetch_Dest="script"), FOR_PEOPLE)
    assert problem is not None
    assert (problem.status, problem.slug) == (403, "wrong-context")
    assert "address bar" not in problem.title


def test_a_person_who_opens_an_answer_for_scripts_is_told_what_it_is() -> None:
    problem = problem_with_destination(headers(Sec_Fetch_Dest="document"), FOR_SCRIPTS)
    assert problem is not None
    assert (problem.status, problem.slug) == (403, "wrong-context")
    assert "address bar" in problem.title
    assert "FOR_PEOPLE" in problem.detail
