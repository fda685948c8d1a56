"""Proving again who is signed in, without HTTP."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from server.accounts.outcomes import Denial, SecondFactorMissing
from server.accounts.requester import Person
from server.core.audit import AuditEvent
from server.core.reasons import NoSession, Reason
from server.core.session import is_recently_authenticated
from server.core.throttling import Throttled
from server.crypto.passkeys import Site
from server.services import Services
from server.sessions.verdicts import LiveSession
from tests.support.clients.authenticator import Authenticator
from tests.support.clients.client import PASSWORD
from tests.unit.accounts.conftest import code_of

ORIGIN = "http://localhost:8888"
SITE = Site("localhost", frozenset({ORIGIN}))


async def test_the_password_opens_the_window_under_a_new_token(
    services: Services,
    person: Person,
    travel: Callable[[float], None],
    recorded: Callable[[], Counter[AuditEvent]],
) -> None:
    travel(400)
    now, rules = services.clock.now, services.sessions.rules
    assert not is_recently_authenticated(person.live.session, now(), rules)
    proved = await services.reauthentication.by_password(person, PASSWORD, "")
    assert isinstance(proved, LiveSession)
    assert is_recently_authenticated(proved.session, now(), rules)
    assert proved.token is not None
    assert proved.token.generation > person.live.session.generation
    assert recorded()[AuditEvent.REAUTHENTICATED] == 1


async def test_a_wrong_password_changes_nothing_and_many_must_wait(
    services: Services, person: Person
) -> None:
    for _ in range(10):
        denied = await services.reauthentication.by_password(person, "no", "")
        assert denied is Denial.WRONG_PASSWORD
    throttled = await services.reauthentication.by_password(person, PASSWORD, "")
    assert isinstance(throttled, Throttled)
    found = await services.sessions.current(person.sid)
    assert found == person.live.session


async def test_the_password_alone_is_not_enough_where_there_is_a_second_factor(
    services: Services, person: Person, travel: Callable[[float], None]
) -> None:
    begun = services.factors.begin_totp(person.user)
    code = code_of(begun.secret, services.clock.now())
    await services.factor_changes.add_totp(person, begun.setup, code, end_others=False)
    travel(60)
    missing = await services.reauthentication.by_password(person, PASSWORD, "")
    wrong = await services.reauthentication.by_password(person, PASSWORD, "000000")
    code = code_of(begun.secret, services.clock.now())
    proved = await services.reauthentication.by_password(person, PASSWORD, code)
    assert isinstance(missing, SecondFactorMissing)
    assert wrong is Denial.WRONG_CODE
    # The change of factors gave the browser a newer token; who holds the older one proves nothing.
    assert isinstance(proved, NoSession)


async def test_a_session_that_ended_meanwhile_is_not_proved(
    services: Services, person: Person, recorded: Callable[[], Counter[AuditEvent]]
) -> None:
    await services.terminations.one(person.live.session, Reason.LOGOUT)
    ended = await services.reauthentication.by_password(person, PASSWORD, "")
    assert isinstance(ended, NoSession)
    assert ended.reason is Reason.LOGOUT
    assert recorded()[AuditEvent.REAUTHENTICATED] == 0


async def test_a_passkey_of_the_account_proves_and_no_other(
    services: Services, person: Person
) -> None:
    key = Authenticator(ORIGIN)
    made: Any = await services.factors.begin_passkey(person.user, SITE)
    added: Any = await services.factor_changes.add_passkey(
        person, SITE, key.make(made), "a key", end_others=False
    )
    owner = replace(person, live=added.session)
    options: Any = await services.reauthentication.passkey_options(SITE, owner)
    stranger = Authenticator(ORIGIN, handle=key.handle)
    wrong = await services.reauthentication.by_passkey(SITE, owner, stranger.use(options))
    assert wrong is Denial.WRONG_PASSKEY
    options = await services.reauthentication.passkey_options(SITE, owner)
    proved = await services.reauthentication.by_passkey(SITE, owner, key.use(options))
    assert isinstance(proved, LiveSession)
    assert proved.session.two_factors


async def test_where_browsers_take_no_passkeys_there_are_none(
    services: Services, person: Person
) -> None:
    unavailable = Denial.PASSKEYS_UNAVAILABLE
    assert await services.reauthentication.passkey_options(None, person) is unavailable
    assert await services.reauthentication.by_passkey(None, person, {}) is unavailable


@pytest.mark.parametrize("variables", [{"REAUTHENTICATION_WINDOW": "1s"}])
async def test_the_window_is_a_setting(
    services: Services, person: Person, travel: Callable[[float], None]
) -> None:
    travel(2)
    rules = services.sessions.rules
    assert not is_recently_authenticated(person.live.session, services.clock.now(), rules)
