"""One's own sessions, without HTTP."""

from collections import Counter
from collections.abc import Callable

import pytest

from server.accounts.outcomes import Denial
from server.accounts.own_sessions import EndScope, OwnSessionsEnded
from server.accounts.requester import Person, Requester
from server.core.audit import AuditEvent
from server.core.reasons import NoSession, Reason
from server.services import Services
from tests.support.clients.client import PASSWORD
from tests.unit.accounts.conftest import signed_in


async def reason_of(services: Services, sid: str) -> Reason | None:
    """Return why a session ended; None while it lives."""
    found = await services.sessions.current(sid)
    return found.reason if isinstance(found, NoSession) else None


async def test_all_of_them_are_listed_and_nobody_elses(
    services: Services, person: Person, visitor: Requester
) -> None:
    other = await signed_in(services, person.user, visitor)
    await services.accounts.create("grace", PASSWORD)
    await signed_in(services, "grace", visitor)
    listed = await services.own_sessions.all_of(person)
    assert {each.session.sid for each in listed} == {person.sid, other.sid}


async def test_another_one_ends_as_terminated_and_ones_own_as_a_logout(
    services: Services, person: Person, visitor: Requester
) -> None:
    other = await signed_in(services, person.user, visitor)
    ended = await services.own_sessions.end_one(person, other.sid)
    assert isinstance(ended, OwnSessionsEnded)
    assert not ended.this_too
    assert await reason_of(services, other.sid) is Reason.TERMINATED
    ended = await services.own_sessions.end_one(person, person.sid)
    assert isinstance(ended, OwnSessionsEnded)
    assert ended.this_too
    assert await reason_of(services, person.sid) is Reason.LOGOUT


async def test_somebody_elses_and_an_unknown_one_are_denied_alike(
    services: Services,
    person: Person,
    visitor: Requester,
    recorded: Callable[[], Counter[AuditEvent]],
) -> None:
    await services.accounts.create("grace", PASSWORD)
    grace = await signed_in(services, "grace", visitor)
    unknown = await services.own_sessions.end_one(person, "00" + "A" * 22)
    assert recorded()[AuditEvent.DIRECT_REFERENCE] == 0
    foreign = await services.own_sessions.end_one(person, grace.sid)
    assert {unknown, foreign} == {Denial.SESSION_NOT_FOUND}
    assert recorded()[AuditEvent.DIRECT_REFERENCE] == 1
    assert await reason_of(services, grace.sid) is None


async def test_the_others_end_or_all(
    services: Services, person: Person, visitor: Requester
) -> None:
    other = await signed_in(services, person.user, visitor)
    ended = await services.own_sessions.end_many(person, EndScope.OTHERS)
    assert (ended.receipt.sessions, ended.this_too) == (1, False)
    assert await reason_of(services, other.sid) is Reason.TERMINATED
    assert await reason_of(services, person.sid) is None
    ended = await services.own_sessions.end_many(person, EndScope.ALL)
    assert (ended.receipt.sessions, ended.this_too) == (1, True)
    assert await reason_of(services, person.sid) is Reason.TERMINATED


async def test_logging_out_ends_the_session_and_says_so(services: Services, person: Person) -> None:
    receipt = await services.own_sessions.log_out(person)
    assert receipt.sessions == 1
    assert await reason_of(services, person.sid) is Reason.LOGOUT


async def test_a_session_that_the_list_lacks_for_a_moment_is_ones_own_all_the_same(
    services: Services, person: Person, visitor: Requester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replica that has just taken over may list it later than it finds it."""
    other = await signed_in(services, person.user, visitor)

    async def nothing(_: Person) -> list[object]:
        return []

    monkeypatch.setattr(services.own_sessions, "all_of", nothing)
    assert isinstance(await services.own_sessions.end_one(person, other.sid), OwnSessionsEnded)
    assert await reason_of(services, other.sid) is Reason.TERMINATED
