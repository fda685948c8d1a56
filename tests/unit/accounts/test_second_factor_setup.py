"""Setting second factors up and removing them: what is kept, and what comes too late or twice."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from server.accounts.outcomes import NotAdded
from server.accounts.second_factor_setup import Added, SecondFactorSetup
from server.core.account import Account
from server.core.factors import MAX_PASSKEYS, PASSKEY_NAME_CHARACTERS, Factors
from server.crypto.challenges import LIFETIME_SECONDS
from server.crypto.passkeys import Site
from server.services import Services
from tests.support.clients.authenticator import Authenticator
from tests.unit.accounts.conftest import code_of

ORIGIN = "http://localhost:8888"
SITE = Site("localhost", frozenset({ORIGIN}))


@pytest.fixture
def factors(services: Services) -> SecondFactorSetup:
    """The second factors of all accounts."""
    return services.factors


async def add_totp(services: Services, user: str) -> Added | NotAdded:
    """Set an app up, with the code that it shows now."""
    begun = services.factors.begin_totp(user)
    code = code_of(begun.secret, services.clock.now())
    return await services.factors.add_totp(user, begun.setup, code)


async def made_by(factors: SecondFactorSetup, user: str, key: Authenticator) -> dict[str, Any]:
    """Return what a browser sends of a new passkey."""
    options: Any = await factors.begin_passkey(user, SITE)
    return key.make(options)


async def test_the_code_that_sets_an_app_up_is_used_with_it(
    services: Services, factors: SecondFactorSetup, ada: Account
) -> None:
    begun = factors.begin_totp(ada.user)
    now = services.clock.now()
    added = await factors.add_totp(ada.user, begun.setup, code_of(begun.secret, now))
    assert isinstance(added, Added)
    assert len(added.recovery_codes) == 10
    totp = (await factors.factors_of(ada.user)).totp
    assert totp is not None
    assert totp.secret == begun.secret
    assert totp.last_step == int(now // 30)


async def test_a_setup_is_its_users_alone_and_ends_after_some_minutes(
    services: Services,
    factors: SecondFactorSetup,
    ada: Account,
    travel: Callable[[float], None],
) -> None:
    begun = factors.begin_totp(ada.user)
    assert factors.resume_totp(ada.user, begun.setup) == begun
    assert factors.resume_totp("grace", begun.setup) is None
    travel(LIFETIME_SECONDS)
    code = code_of(begun.secret, services.clock.now())
    assert await factors.add_totp(ada.user, begun.setup, code) is NotAdded.EXPIRED
    assert not (await factors.factors_of(ada.user)).enabled


async def test_of_two_apps_at_once_one_is_set_up(services: Services, ada: Account) -> None:
    results = await asyncio.gather(*(add_totp(services, ada.user) for _ in range(2)))
    assert results.count(NotAdded.ALREADY) == 1
    assert sum(isinstance(each, Added) for each in results) == 1


async def test_a_new_passkeys_answer_works_once_even_after_its_removal(
    factors: SecondFactorSetup, ada: Account
) -> None:
    key = Authenticator(ORIGIN)
    answer = await made_by(factors, ada.user, key)
    assert isinstance(await factors.add_passkey(ada.user, SITE, answer, "a key"), Added)
    assert await factors.remove_passkey(ada.user, key.id) is not None
    assert await factors.add_passkey(ada.user, SITE, answer, "a key") is NotAdded.EXPIRED
    assert (await factors.factors_of(ada.user)).passkeys == ()


async def test_a_passkey_for_another_user_or_page_is_not_kept(
    factors: SecondFactorSetup, ada: Account
) -> None:
    foreign = await made_by(factors, ada.user, Authenticator(ORIGIN))
    assert await factors.add_passkey("grace", SITE, foreign, "a key") is NotAdded.EXPIRED
    elsewhere = await made_by(factors, ada.user, Authenticator("http://evil.example"))
    assert await factors.add_passkey(ada.user, SITE, elsewhere, "a key") is NotAdded.BAD_PASSKEY
    assert await factors.add_passkey(ada.user, SITE, {}, "a key") is NotAdded.EXPIRED
    assert not (await factors.factors_of(ada.user)).enabled


@pytest.mark.parametrize("name", ["", "  ", "a" * (PASSKEY_NAME_CHARACTERS + 1), "two\nlines"])
async def test_a_bad_name_is_refused_and_does_not_use_the_answer_up(
    factors: SecondFactorSetup, ada: Account, name: str
) -> None:
    answer = await made_by(factors, ada.user, Authenticator(ORIGIN))
    assert await factors.add_passkey(ada.user, SITE, answer, name) is NotAdded.BAD_NAME
    assert isinstance(await factors.add_passkey(ada.user, SITE, answer, " key "), Added)
    assert [each.name for each in (await factors.factors_of(ada.user)).passkeys] == ["key"]


async def test_there_are_at_most_ten_passkeys(factors: SecondFactorSetup, ada: Account) -> None:
    keys = [Authenticator(ORIGIN) for _ in range(MAX_PASSKEYS + 1)]
    answers = [await made_by(factors, ada.user, each) for each in keys]
    results = [await factors.add_passkey(ada.user, SITE, each, "a key") for each in answers]
    assert results.pop() is NotAdded.TOO_MANY
    assert all(isinstance(each, Added) for each in results)


async def test_recovery_codes_come_with_the_first_factor_and_go_with_the_last(
    services: Services, factors: SecondFactorSetup, ada: Account
) -> None:
    assert await factors.renew_recovery_codes(ada.user) is None
    key = Authenticator(ORIGIN)
    first = await factors.add_passkey(
        ada.user, SITE, await made_by(factors, ada.user, key), "a key"
    )
    second = await add_totp(services, ada.user)
    assert isinstance(first, Added)
    assert len(first.recovery_codes) == 10
    assert second == Added(())
    renewed = await factors.renew_recovery_codes(ada.user)
    assert renewed is not None
    assert set(renewed).isdisjoint(first.recovery_codes)
    left = await factors.remove_totp(ada.user)
    assert left is not None
    assert left.recovery_codes_left == 10
    left = await factors.remove_passkey(ada.user, key.id)
    assert left is not None
    assert left.recovery_codes_left == 0
    assert await factors.remove_totp(ada.user) is None


async def test_a_handle_is_made_once_and_outlives_all_factors(
    services: Services, factors: SecondFactorSetup, ada: Account
) -> None:
    keys = [Authenticator(ORIGIN) for _ in range(2)]
    answers = await asyncio.gather(*(made_by(factors, ada.user, each) for each in keys))
    assert keys[0].handle == keys[1].handle
    for each in answers:
        assert isinstance(await factors.add_passkey(ada.user, SITE, each, "a key"), Added)
    await add_totp(services, ada.user)
    handle = (await factors.factors_of(ada.user)).handle
    assert await factors.remove_all(ada.user)
    assert await factors.factors_of(ada.user) == Factors(handle=handle)
    assert not await factors.remove_all(ada.user)
