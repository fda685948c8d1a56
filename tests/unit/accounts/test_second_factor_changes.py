"""Changing one's own second factors, without HTTP."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from server.accounts.outcomes import Denial, NotAdded
from server.accounts.requester import Person, Requester
from server.accounts.second_factor_changes import FactorChange
from server.core.reasons import NoSession, Reason
from server.crypto.passkeys import Site
from server.services import Services
from server.sessions.verdicts import LiveSession
from tests.support.clients.authenticator import Authenticator
from tests.unit.accounts.conftest import code_of, signed_in

ORIGIN = "http://localhost:8888"
SITE = Site("localhost", frozenset({ORIGIN}))


async def add_totp(services: Services, person: Person, *, end_others: bool = True) -> FactorChange:
    """Set an app up."""
    begun = services.factors.begin_totp(person.user)
    code = code_of(begun.secret, services.clock.now())
    change = await services.factor_changes.add_totp(
        person, begun.setup, code, end_others=end_others
    )
    assert isinstance(change, FactorChange)
    return change


def after(person: Person, change: FactorChange) -> Person:
    """Return the person with the session that a change left."""
    assert isinstance(change.session, LiveSession)
    return replace(person, live=change.session)


async def test_the_first_factor_brings_recovery_codes_and_ends_the_others(
    services: Services, person: Person, visitor: Requester
) -> None:
    other = await signed_in(services, person.user, visitor)
    change = await add_totp(services, person)
    assert len(change.recovery_codes) == 10
    assert change.receipt is not None
    assert change.receipt.sessions == 1
    assert after(person, change).live.session.two_factors
    ended = await services.sessions.current(other.sid)
    assert isinstance(ended, NoSession)
    assert ended.reason is Reason.CREDENTIAL_CHANGED


async def test_the_others_can_be_kept(
    services: Services, person: Person, visitor: Requester
) -> None:
    other = await signed_in(services, person.user, visitor)
    change = await add_totp(services, person, end_others=False)
    assert change.receipt is None
    assert not isinstance(await services.sessions.current(other.sid), NoSession)


async def test_an_app_with_a_wrong_code_is_not_added(services: Services, person: Person) -> None:
    begun = services.factors.begin_totp(person.user)
    wrong = await services.factor_changes.add_totp(person, begun.setup, "000000", end_others=True)
    assert wrong is NotAdded.WRONG_CODE
    foreign = services.factors.begin_totp("grace")
    late = await services.factor_changes.add_totp(person, foreign.setup, "000000", end_others=True)
    assert late is NotAdded.EXPIRED
    assert not (await services.factors.factors_of(person.user)).enabled


async def test_a_second_app_is_not_added(services: Services, person: Person) -> None:
    owner = after(person, await add_totp(services, person))
    begun = services.factors.begin_totp(person.user)
    code = code_of(begun.secret, services.clock.now())
    again = await services.factor_changes.add_totp(owner, begun.setup, code, end_others=True)
    assert again is NotAdded.ALREADY


async def test_a_passkey_is_added_and_removed(services: Services, person: Person) -> None:
    key = Authenticator(ORIGIN)
    options: Any = await services.factors.begin_passkey(person.user, SITE)
    change = await services.factor_changes.add_passkey(
        person, SITE, key.make(options), "a key", end_others=True
    )
    assert isinstance(change, FactorChange)
    owner = after(person, change)
    unknown = await services.factor_changes.remove_passkey(owner, "none", end_others=True)
    assert unknown is Denial.FACTOR_NOT_FOUND
    removed = await services.factor_changes.remove_passkey(owner, key.id, end_others=True)
    assert isinstance(removed, FactorChange)
    assert not after(owner, removed).live.session.two_factors


async def test_where_browsers_take_no_passkeys_none_is_added(
    services: Services, person: Person
) -> None:
    refused = await services.factor_changes.add_passkey(person, None, {}, "a", end_others=True)
    assert refused is Denial.PASSKEYS_UNAVAILABLE
    assert await services.factors.begin_passkey(person.user, None) is refused


async def test_recovery_codes_need_a_factor(services: Services, person: Person) -> None:
    none = await services.factor_changes.renew_recovery_codes(person, end_others=True)
    assert none is Denial.NO_SECOND_FACTOR
    first = await add_totp(services, person)
    change = await services.factor_changes.renew_recovery_codes(
        after(person, first), end_others=True
    )
    assert isinstance(change, FactorChange)
    assert set(change.recovery_codes).isdisjoint(first.recovery_codes)


@pytest.mark.parametrize("variables", [{"SECOND_FACTOR": "required"}])
async def test_with_the_last_required_factor_this_session_ends_too(
    services: Services, person: Person
) -> None:
    owner = after(person, await add_totp(services, person))
    removed = await services.factor_changes.remove_totp(owner, end_others=False)
    assert isinstance(removed, FactorChange)
    assert removed.session is None
    assert removed.receipt is not None
    assert isinstance(await services.sessions.current(person.sid), NoSession)


async def test_a_session_that_ended_meanwhile_is_told_so(
    services: Services, person: Person, travel: Callable[[float], None]
) -> None:
    await services.terminations.one(person.live.session, Reason.LOGOUT)
    travel(1)
    change = await add_totp(services, person, end_others=False)
    assert isinstance(change.session, NoSession)
