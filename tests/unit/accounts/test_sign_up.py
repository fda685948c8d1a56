"""Signing up without HTTP."""

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest

from server.accounts.outcomes import Denial, NameTaken, NotSignedUp
from server.accounts.requester import Requester
from server.core.account import Account
from server.core.audit import AuditEvent
from server.core.credentials import BadPassword, BadUsername
from server.core.session import Device
from server.core.throttling import Throttled
from server.services import Services
from tests.support.clients.client import PASSWORD


async def test_an_account_is_made_and_recorded(
    services: Services, visitor: Requester, recorded: Callable[[], Counter[AuditEvent]]
) -> None:
    made = await services.sign_up.by_password("Ada", PASSWORD, visitor)
    assert isinstance(made, Account)
    assert made.user == "ada"
    assert not made.admin
    assert recorded()[AuditEvent.USER_CREATED] == 1


@pytest.mark.usefixtures("ada")
async def test_what_will_not_do_is_told(services: Services, visitor: Requester) -> None:
    reasons = {
        ("ada", PASSWORD): NameTaken,
        ("a", PASSWORD): BadUsername,
        ("grace", "short"): BadPassword,
    }
    for (name, password), reason in reasons.items():
        refused = await services.sign_up.by_password(name, password, visitor)
        assert isinstance(refused, NotSignedUp)
        assert isinstance(refused.why, reason)


@pytest.mark.parametrize("variables", [{"SIGNUP": "closed"}])
async def test_where_it_is_closed_nothing_is_made(services: Services, visitor: Requester) -> None:
    refused = await services.sign_up.by_password("ada", PASSWORD, visitor)
    assert refused is Denial.SIGN_UP_CLOSED
    assert await services.accounts.find("ada") is None


@pytest.mark.usefixtures("ada")
async def test_who_asks_for_many_names_must_wait(services: Services, visitor: Requester) -> None:
    for _ in range(20):
        await services.sign_up.by_password("ada", PASSWORD, visitor)
    assert isinstance(await services.sign_up.by_password("ada", PASSWORD, visitor), Throttled)


async def sign_up(services: Services, name: str, ip: str) -> type:
    """Ask for an account from an address; the kind of outcome."""
    requester = Requester(Device("a browser", ip))
    return type(await services.sign_up.by_password(name, PASSWORD, requester))


@pytest.mark.parametrize("variables", [{"SIGNUPS_PER_ADDRESS": "3", "SIGNUPS_IN_ALL": "5"}])
async def test_made_accounts_count_for_each_address_and_in_all(services: Services) -> None:
    made = [await sign_up(services, f"ann-{n}", "192.0.2.1") for n in range(5)]
    assert made == [Account] * 3 + [Throttled] * 2
    elsewhere = [await sign_up(services, f"bob-{n}", f"2001:db8::{n}") for n in range(3)]
    assert elsewhere == [Account] * 2 + [Throttled]  # of one /64, and five in all
    assert await sign_up(services, "cid", "192.0.2.2") is Throttled


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("variables", [{"SIGNUPS_PER_ADDRESS": "2"}])
async def test_what_makes_no_account_uses_up_none(services: Services, visitor: Requester) -> None:
    for _ in range(5):
        assert await sign_up(services, "ada", visitor.device.ip) is NotSignedUp
    made = [await sign_up(services, f"bob-{n}", visitor.device.ip) for n in range(3)]
    assert made == [Account] * 2 + [Throttled]


@pytest.mark.parametrize("variables", [{"SIGNUPS_PER_ADDRESS": "2"}])
async def test_of_many_sign_ups_at_one_moment_as_many_make_an_account_as_may(
    services: Services,
) -> None:
    made = await asyncio.gather(*(sign_up(services, f"u-{n}", "192.0.2.1") for n in range(8)))
    assert Counter(made) == {Account: 2, Throttled: 6}


async def test_a_bad_password_uses_up_no_try(services: Services, visitor: Requester) -> None:
    for _ in range(25):
        refused = await services.sign_up.by_password("grace", "short", visitor)
        assert isinstance(refused, NotSignedUp)
