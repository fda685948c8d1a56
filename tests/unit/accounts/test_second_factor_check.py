"""Checking a second factor: right, wrong, used before, too late, and two at once."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from server.accounts.outcomes import NotAdded
from server.accounts.password_proof import PasswordProof
from server.accounts.requester import Person, Requester
from server.accounts.second_factor_check import Lapsed, SecondFactorCheck
from server.accounts.second_factor_setup import Added
from server.core.account import Account
from server.core.audit import AuditEvent
from server.core.errors import StoreUnavailable
from server.core.factor_policy import FREE_WRONG_CODES, Flaw, Proved, TooManyTries, Wrong
from server.core.factors import Method
from server.crypto.challenges import LIFETIME_SECONDS
from server.crypto.passkeys import Site
from server.services import Services
from tests.support.clients.authenticator import Authenticator
from tests.support.servers.valkey import ValkeyServer
from tests.unit.accounts.conftest import code_of

ORIGIN = "http://localhost:8888"
SITE = Site("localhost", frozenset({ORIGIN}))
NEW_PASSWORD = "eleven herons on the morning ferry"

Recorded = Callable[[], Counter[AuditEvent]]
Travel = Callable[[float], None]


@dataclass(frozen=True)
class App:
    """An app that ada has set up, and the recovery codes that came with it."""

    secret: str
    recovery_codes: tuple[str, ...]


@pytest.fixture
def store_url(own_valkey: ValkeyServer) -> str:
    """The address of the test's own Valkey."""
    return own_valkey.url


@pytest.fixture
def check(services: Services) -> SecondFactorCheck:
    """What sign-in and reauthentication ask."""
    return services.sign_in._check


@pytest.fixture
def proof(ada: Account) -> PasswordProof:
    """A proof of ada's password."""
    return PasswordProof(ada.user, ada.password_changes)


@pytest.fixture
async def app(services: Services, ada: Account, travel: Travel) -> App:
    """An app whose next code is not used yet."""
    begun = services.factors.begin_totp(ada.user)
    code = code_of(begun.secret, services.clock.now())
    added = await services.factors.add_totp(ada.user, begun.setup, code)
    assert isinstance(added, Added)
    travel(60)
    return App(begun.secret, added.recovery_codes)


@pytest.fixture
async def key(services: Services, ada: Account) -> Authenticator:
    """A passkey of ada's."""
    made = Authenticator(ORIGIN)
    options: Any = await services.factors.begin_passkey(ada.user, SITE)
    added = await services.factors.add_passkey(ada.user, SITE, made.make(options), "a key")
    assert not isinstance(added, NotAdded)
    return made


async def test_of_two_uses_of_a_code_at_once_one_is_proved(
    services: Services,
    check: SecondFactorCheck,
    proof: PasswordProof,
    app: App,
    visitor: Requester,
) -> None:
    code = code_of(app.secret, services.clock.now())
    results = await asyncio.gather(*(check.code(proof, code, visitor) for _ in range(2)))
    outcomes = [each.outcome for each in results]
    assert outcomes.count(Proved(Method.TOTP)) == 1
    assert outcomes.count(Wrong(Flaw.CODE)) == 1
    assert {each.user for each in results} == {proof.user}


async def test_a_recovery_code_works_once_and_tells_how_many_are_left(
    check: SecondFactorCheck,
    proof: PasswordProof,
    app: App,
    visitor: Requester,
    recorded: Recorded,
) -> None:
    first = await check.code(proof, app.recovery_codes[0], visitor)
    again = await check.code(proof, app.recovery_codes[0], visitor)
    assert (first.outcome, first.recovery_codes_left) == (Proved(Method.RECOVERY_CODE), 9)
    assert (again.outcome, again.recovery_codes_left) == (Wrong(Flaw.RECOVERY_CODE), 9)
    assert recorded()[AuditEvent.RECOVERY_CODE_USED] == 1
    assert recorded()[AuditEvent.SECOND_FACTOR_FAIL] == 1


async def test_after_wrong_codes_not_even_the_right_one_is_looked_at_for_a_while(
    services: Services,
    check: SecondFactorCheck,
    proof: PasswordProof,
    app: App,
    visitor: Requester,
    travel: Travel,
    recorded: Recorded,
) -> None:
    old = code_of(app.secret, services.clock.now() - 300)
    wrong = [await check.code(proof, old, visitor) for _ in range(FREE_WRONG_CODES)]
    assert {each.outcome for each in wrong} == {Wrong(Flaw.CODE)}
    early = await check.code(proof, code_of(app.secret, services.clock.now()), visitor)
    assert isinstance(early.outcome, TooManyTries)
    assert recorded()[AuditEvent.LOGIN_THROTTLED] == 1
    travel(early.outcome.wait_seconds + 1)
    late = await check.code(proof, code_of(app.secret, services.clock.now()), visitor)
    assert late.outcome == Proved(Method.TOTP)


@pytest.mark.parametrize("end", ["password", "disabled"])
async def test_a_proof_lapses_with_the_password_and_the_account_and_uses_nothing_up(
    services: Services,
    check: SecondFactorCheck,
    proof: PasswordProof,
    app: App,
    visitor: Requester,
    end: str,
) -> None:
    if end == "password":
        await services.accounts.set_password(proof.user, NEW_PASSWORD)
    else:
        await services.accounts.set_disabled(proof.user, disabled=True)
    lapsed = await check.code(proof, app.recovery_codes[0], visitor)
    assert lapsed.outcome == Lapsed()
    assert (await services.factors.factors_of(proof.user)).recovery_codes_left == 10


async def test_a_challenge_stands_for_the_proof_until_it_is_too_old(
    check: SecondFactorCheck, proof: PasswordProof, travel: Travel, recorded: Recorded
) -> None:
    challenge = check.challenge(proof)
    travel(LIFETIME_SECONDS - 10)
    assert check.read_challenge(challenge) == proof
    travel(10)
    assert check.read_challenge(challenge) is None
    assert check.read_challenge("forged") is None
    assert recorded()[AuditEvent.CHALLENGE_REFUSED] == 1


async def test_a_passkey_alone_tells_whose_it_is_and_its_answer_works_once(
    check: SecondFactorCheck, proof: PasswordProof, key: Authenticator, visitor: Requester
) -> None:
    options: Any = await check.sign_in_options(SITE, None)
    answer = key.use(options)
    results = await asyncio.gather(
        *(check.sign_in_passkey(SITE, answer, visitor) for _ in range(2))
    )
    outcomes = [each.outcome for each in results]
    assert outcomes.count(Proved(Method.PASSKEY)) == 1
    assert outcomes.count(Wrong(Flaw.PASSKEY)) == 1
    assert {each.user for each in results} == {proof.user}


async def test_a_passkeys_answer_is_refused_when_it_comes_too_late(
    check: SecondFactorCheck,
    proof: PasswordProof,
    key: Authenticator,
    visitor: Requester,
    travel: Travel,
) -> None:
    options: Any = await check.sign_in_options(SITE, proof)
    answer = key.use(options)
    travel(LIFETIME_SECONDS)
    late = await check.sign_in_passkey(SITE, answer, visitor)
    assert late.outcome == Wrong(Flaw.PASSKEY)
    assert late.user == ""


async def test_a_challenge_made_for_somebody_else_proves_no_own_passkey(
    check: SecondFactorCheck, person: Person, key: Authenticator
) -> None:
    foreign: Any = await check.reauthentication_options(SITE, "grace")
    refused = await check.own_passkey(SITE, key.use(foreign), person)
    assert refused.outcome == Wrong(Flaw.PASSKEY)
    own: Any = await check.reauthentication_options(SITE, person.user)
    assert [known["id"] for known in own["allowCredentials"]] == [key.id]
    proved = await check.own_passkey(SITE, key.use(own), person)
    assert proved.outcome == Proved(Method.PASSKEY)


async def test_without_the_store_nobody_gets_an_answer_and_nothing_is_used_up(
    check: SecondFactorCheck,
    proof: PasswordProof,
    app: App,
    visitor: Requester,
    own_valkey: ValkeyServer,
    recorded: Recorded,
) -> None:
    own_valkey.kill()
    with pytest.raises(StoreUnavailable):
        await check.code(proof, app.recovery_codes[0], visitor)
    assert recorded()[AuditEvent.SECOND_FACTOR_FAIL] == 0
    own_valkey.start()
    result = await check.code(proof, app.recovery_codes[0], visitor)
    assert result.outcome == Proved(Method.RECOVERY_CODE)
