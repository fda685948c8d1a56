"""Changing one's own password, without HTTP."""

from collections import Counter
from collections.abc import Callable

from server.accounts.outcomes import Denial, PasswordNotChanged
from server.accounts.password_change import PasswordChanged
from server.accounts.requester import Person, Requester
from server.core.audit import AuditEvent
from server.core.reasons import NoSession, Reason
from server.core.throttling import Throttled
from server.services import Services
from server.sessions.verdicts import LiveSession
from tests.support.clients.client import PASSWORD
from tests.unit.accounts.conftest import signed_in

NEW = "eleven herons on the morning ferry"


async def test_other_sessions_end_and_this_one_goes_on_under_a_new_token(
    services: Services, person: Person, visitor: Requester
) -> None:
    other = await signed_in(services, person.user, visitor)
    changed = await services.password_change.change(person, PASSWORD, NEW, end_others=True)
    assert isinstance(changed, PasswordChanged)
    assert changed.receipt is not None
    assert changed.receipt.sessions == 1
    assert isinstance(changed.session, LiveSession)
    assert changed.session.token is not None
    ended = await services.sessions.current(other.sid)
    assert isinstance(ended, NoSession)
    assert ended.reason is Reason.CREDENTIAL_CHANGED
    assert await services.accounts.verify(person.user, NEW)
    assert not await services.accounts.verify(person.user, PASSWORD)


async def test_other_sessions_can_be_kept(
    services: Services, person: Person, visitor: Requester
) -> None:
    other = await signed_in(services, person.user, visitor)
    changed = await services.password_change.change(person, PASSWORD, NEW, end_others=False)
    assert isinstance(changed, PasswordChanged)
    assert changed.receipt is None
    assert not isinstance(await services.sessions.current(other.sid), NoSession)


async def test_without_the_current_password_nothing_changes(
    services: Services, person: Person, recorded: Callable[[], Counter[AuditEvent]]
) -> None:
    for _ in range(10):
        denied = await services.password_change.change(person, "no", NEW, end_others=True)
        assert denied is Denial.WRONG_PASSWORD
    throttled = await services.password_change.change(person, PASSWORD, NEW, end_others=True)
    assert isinstance(throttled, Throttled)
    assert recorded()[AuditEvent.PASSWORD_CHANGE_FAIL] == 10
    assert await services.accounts.verify(person.user, PASSWORD)


async def test_a_bad_new_password_is_told(services: Services, person: Person) -> None:
    refused = await services.password_change.change(person, PASSWORD, "short", end_others=True)
    assert isinstance(refused, PasswordNotChanged)
    assert refused.why.flaw == "too_short"
    assert await services.accounts.verify(person.user, PASSWORD)


async def test_a_session_that_ended_meanwhile_is_told_so(
    services: Services, person: Person
) -> None:
    await services.terminations.one(person.live.session, Reason.LOGOUT)
    changed = await services.password_change.change(person, PASSWORD, NEW, end_others=True)
    assert isinstance(changed, PasswordChanged)
    assert isinstance(changed.session, NoSession)
    assert await services.accounts.verify(person.user, NEW)
