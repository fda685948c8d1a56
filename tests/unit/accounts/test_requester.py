"""Whose account and which session an audit event of a request is about."""

import pytest

from server.accounts.requester import Person, Requester
from server.core.account import Account
from server.services import Services
from server.sessions.verdicts import LiveSession


@pytest.fixture
async def anonymous(services: Services, visitor: Requester) -> LiveSession:
    """The session of a visitor who has data and no account."""
    begun = await services.sessions.begin_anonymous(visitor.device, {"cart": [1]})
    assert isinstance(begun, LiveSession)
    return begun


def test_a_request_without_a_session_is_about_nobody(visitor: Requester) -> None:
    assert visitor.concerning() == {"user": "", "sid": ""}


def test_a_request_without_a_session_can_be_about_an_account(visitor: Requester) -> None:
    assert visitor.concerning("ada") == {"user": "ada", "sid": ""}


def test_a_request_with_a_session_is_about_its_user(person: Person, ada: Account) -> None:
    request = Requester(person.device, person.live)
    assert request.concerning() == {"user": ada.user, "sid": person.live.session.sid}


def test_the_account_that_is_named_counts_before_that_of_the_session(person: Person) -> None:
    request = Requester(person.device, person.live)
    assert request.concerning("grace") == {"user": "grace", "sid": person.sid}
    assert person.concerning("grace") == {"user": "grace", "sid": person.sid}


def test_a_person_acts_on_the_own_account(person: Person, ada: Account) -> None:
    assert person.user == ada.user
    assert person.concerning() == {"user": ada.user, "sid": person.live.session.sid}


def test_an_anonymous_session_has_an_id_and_no_user(
    anonymous: LiveSession, visitor: Requester
) -> None:
    expected = {"user": "", "sid": anonymous.session.sid}
    assert Requester(visitor.device, anonymous).concerning() == expected
    assert Person(visitor.device, anonymous).concerning() == expected
    assert Person(visitor.device, anonymous).user == ""
