"""Signing in without HTTP: what each way answers, and the order that makes it safe."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from server.accounts.accounts import StoredAccounts
from server.accounts.outcomes import Denial, SecondFactorOwed
from server.accounts.requester import Person, Requester
from server.accounts.sign_in import SignIn
from server.core.account import Account
from server.core.audit import AuditEvent
from server.core.factor_policy import FREE_WRONG_CODES, TooManyTries
from server.core.factors import Method
from server.core.reasons import NoSession, Reason
from server.core.session import Device
from server.core.throttling import Throttled
from server.crypto.passkeys import Site
from server.services import Services
from server.sessions.creation import SignInInterrupted
from server.sessions.verdicts import LiveSession
from server.store.command_client import Command, CommandClient
from tests.support.clients.authenticator import Authenticator
from tests.support.clients.client import PASSWORD
from tests.unit.accounts.conftest import code_of, signed_in

ORIGIN = "http://localhost:8888"
SITE = Site("localhost", frozenset({ORIGIN}))

Recorded = Callable[[], Counter[AuditEvent]]


@pytest.fixture
async def secret(services: Services, person: Person) -> str:
    """The secret of an app that ada has set up."""
    begun = services.factors.begin_totp(person.user)
    code = code_of(begun.secret, services.clock.now())
    await services.factor_changes.add_totp(person, begun.setup, code, end_others=False)
    return begun.secret


async def test_the_right_password_begins_a_session(
    services: Services, ada: Account, visitor: Requester, recorded: Recorded
) -> None:
    live = await services.sign_in.by_password("Ada", PASSWORD, visitor)
    assert isinstance(live, LiveSession)
    assert live.session.user == ada.user
    assert live.session.device == visitor.device
    assert live.token is not None
    assert recorded()[AuditEvent.LOGIN_SUCCESS] == 1


async def test_wrong_unknown_and_disabled_are_denied_alike(
    services: Services, ada: Account, visitor: Requester, recorded: Recorded
) -> None:
    wrong = await services.sign_in.by_password("ada", "no", visitor)
    unknown = await services.sign_in.by_password("nobody", PASSWORD, visitor)
    impossible = await services.sign_in.by_password("no name!", PASSWORD, visitor)
    await services.accounts.set_disabled(ada.user, disabled=True)
    disabled = await services.sign_in.by_password("ada", PASSWORD, visitor)
    assert {wrong, unknown, impossible, disabled} == {Denial.WRONG_CREDENTIALS}
    assert recorded()[AuditEvent.LOGIN_FAIL] == 4


class InterruptedAccounts:
    """The real accounts, whose owner's sessions all end while the password is checked."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def __getattr__(self, name: str) -> Any:
        return getattr(self._services.accounts, name)

    async def verify(self, username: str, password: str) -> Account | None:
        """End everything, then check."""
        await self._services.terminations.all_of("ada", Reason.CREDENTIAL_CHANGED)
        return await self._services.accounts.verify(username, password)


@pytest.mark.usefixtures("ada")
async def test_the_epochs_are_read_before_the_password_is_checked(
    services: Services, visitor: Requester
) -> None:
    real = services.sign_in
    sign_in = SignIn(
        cast("StoredAccounts", InterruptedAccounts(services)),
        real._check,
        real._throttle,
        services.sessions,
        real._record,
    )
    assert await sign_in.by_password("ada", PASSWORD, visitor) == SignInInterrupted()
    assert await services.sessions.sessions_of("ada") == []


@pytest.mark.usefixtures("ada")
async def test_from_some_failures_on_not_even_the_right_password_is_looked_at(
    services: Services, visitor: Requester, monkeypatch: pytest.MonkeyPatch, recorded: Recorded
) -> None:
    for _ in range(10):
        denied = await services.sign_in.by_password("ada", "no", visitor)
        assert denied is Denial.WRONG_CREDENTIALS
    monkeypatch.setattr(services.accounts, "verify", None)  # calling it would raise
    throttled = await services.sign_in.by_password("ada", PASSWORD, visitor)
    assert isinstance(throttled, Throttled)
    assert recorded()[AuditEvent.LOGIN_THROTTLED] == 1


@pytest.mark.usefixtures("ada")
async def test_a_success_uses_up_no_try(services: Services, visitor: Requester) -> None:
    for _ in range(12):
        assert isinstance(await services.sign_in.by_password("ada", PASSWORD, visitor), LiveSession)


@pytest.mark.usefixtures("ada")
async def test_the_session_and_the_count_of_its_try_take_one_round_trip(
    services: Services, visitor: Requester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Apart, a store that syncs before it answers would sync for each of them in turn."""
    await services.sign_in.by_password("ada", PASSWORD, visitor)  # the store knows the scripts now
    send, answered = CommandClient.execute_together, []

    async def noted(client: CommandClient, commands: Sequence[Command]) -> list[Any]:
        replies = await send(client, commands)
        answered.append(replies)
        return replies

    monkeypatch.setattr(CommandClient, "execute_together", noted)
    await services.sign_in.by_password("ada", PASSWORD, visitor)
    assert answered == [[[b"created"], None]]


async def test_the_former_session_of_the_browser_ends(services: Services, person: Person) -> None:
    requester = Requester(person.device, person.live)
    again = await signed_in(services, "ada", requester)
    assert again.sid != person.sid
    ended = await services.sessions.current(person.sid)
    assert isinstance(ended, NoSession)
    assert ended.reason is Reason.SUPERSEDED


@pytest.mark.usefixtures("ada")
async def test_an_anonymous_visitors_data_is_carried_over(
    services: Services, visitor: Requester
) -> None:
    begun = await services.sessions.begin_anonymous(visitor.device, {"cart": [1]})
    assert isinstance(begun, LiveSession)
    person = await signed_in(services, "ada", replace(visitor, live=begun))
    assert person.live.session.data == {"cart": [1]}


async def test_where_there_is_a_second_factor_the_password_begins_nothing(
    services: Services, secret: str, visitor: Requester
) -> None:
    before = await services.sessions.sessions_of("ada")
    owed = await services.sign_in.by_password("ada", PASSWORD, visitor)
    assert isinstance(owed, SecondFactorOwed)
    assert Method.TOTP in owed.methods
    assert secret not in owed.challenge
    assert await services.sessions.sessions_of("ada") == before


async def owed_challenge(services: Services, visitor: Requester) -> str:
    """Return what must come with the second factor."""
    owed = await services.sign_in.by_password("ada", PASSWORD, visitor)
    assert isinstance(owed, SecondFactorOwed)
    return owed.challenge


async def test_the_code_completes_the_sign_in_once(
    services: Services, secret: str, visitor: Requester, travel: Callable[[float], None]
) -> None:
    travel(60)  # the code that set the app up is used
    challenge = await owed_challenge(services, visitor)
    code = code_of(secret, services.clock.now())
    live = await services.sign_in.by_code(challenge, code, visitor)
    assert isinstance(live, LiveSession)
    assert live.session.two_factors
    again = await services.sign_in.by_code(challenge, code, visitor)
    assert again is Denial.WRONG_SECOND_FACTOR


@pytest.mark.usefixtures("secret")
async def test_wrong_codes_must_wait_after_some(services: Services, visitor: Requester) -> None:
    challenge = await owed_challenge(services, visitor)
    for _ in range(FREE_WRONG_CODES):
        denied = await services.sign_in.by_code(challenge, "000000", visitor)
        assert denied is Denial.WRONG_SECOND_FACTOR
    assert isinstance(await services.sign_in.by_code(challenge, "000000", visitor), TooManyTries)


async def test_a_challenge_expires_and_lapses_with_the_password(
    services: Services, secret: str, visitor: Requester, travel: Callable[[float], None]
) -> None:
    travel(60)
    challenge = await owed_challenge(services, visitor)
    await services.accounts.set_password("ada", "eleven herons on the morning ferry")
    code = code_of(secret, services.clock.now())
    lapsed = await services.sign_in.by_code(challenge, code, visitor)
    travel(3600)
    expired = await services.sign_in.by_code(challenge, code, visitor)
    nonsense = await services.sign_in.by_code("nonsense", code, visitor)
    assert {lapsed, expired, nonsense} == {Denial.CHALLENGE_EXPIRED}


async def test_a_passkey_signs_in_without_a_password(
    services: Services, person: Person, visitor: Requester
) -> None:
    key = Authenticator(ORIGIN)
    made: Any = await services.factors.begin_passkey("ada", SITE)
    await services.factor_changes.add_passkey(
        person, SITE, key.make(made), "a key", end_others=False
    )
    options: Any = await services.sign_in.passkey_options(SITE, None)
    live = await services.sign_in.by_passkey(SITE, key.use(options), visitor)
    assert isinstance(live, LiveSession)
    assert live.session.two_factors
    stranger = Authenticator(ORIGIN, handle=key.handle)
    options = await services.sign_in.passkey_options(SITE, None)
    refused = await services.sign_in.by_passkey(SITE, stranger.use(options), visitor)
    assert refused is Denial.PASSKEY_REFUSED


async def test_where_browsers_take_no_passkeys_there_are_none(
    services: Services, visitor: Requester
) -> None:
    assert await services.sign_in.passkey_options(None, None) is Denial.PASSKEYS_UNAVAILABLE
    assert await services.sign_in.by_passkey(None, {}, visitor) is Denial.PASSKEYS_UNAVAILABLE
    assert await services.sign_in.passkey_options(SITE, "x") is Denial.CHALLENGE_EXPIRED


async def test_an_address_of_a_stranger_is_kept_apart_from_the_owners(
    services: Services, person: Person, visitor: Requester
) -> None:
    stranger = Requester(Device("Bad/1", "198.51.100.7"))
    for _ in range(11):
        await services.sign_in.by_password("ada", "no", stranger)
    assert isinstance(await services.sign_in.by_password("ada", "no", stranger), Throttled)
    home = await services.sign_in.by_password("ada", PASSWORD, Requester(person.device))
    assert isinstance(home, LiveSession)
    assert visitor.device == person.device
