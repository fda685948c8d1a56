"""The scope of an end: one of two words, exactly."""

import pytest

from handlers.http.ending import scope_in
from handlers.http.problems import ProblemRaised
from server.accounts.own_sessions import EndScope


@pytest.mark.parametrize("scope", EndScope)
def test_a_scope_is_read_as_the_clients_write_it(scope: EndScope) -> None:
    assert scope_in(scope.value) is scope


@pytest.mark.parametrize("text", ["", "All", "all ", "others,all", "everything", "OTHERS"])
def test_any_other_word_is_refused_and_the_two_are_named(text: str) -> None:
    with pytest.raises(ProblemRaised) as raised:
        scope_in(text)
    problem = raised.value.problem
    assert (problem.status, problem.slug) == (400, "bad-request")
    assert all(f"`{scope}`" in problem.detail for scope in EndScope)
