"""Signing up without HTTP."""

from collections import Counter
from collections.abc import Callable

import pytest

from server.accounts.outcomes import Denial, NameTaken, NotSignedUp
from server.accounts.requester import Requester
from server.core.account import Account
from server.core.audit import AuditEvent
from server.core.credentials import BadPassword, BadUsername
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


async def test_a_bad_password_uses_up_no_try(services: Services, visitor: Requester) -> None:
    for _ in range(25):
        refused = await services.sign_up.by_password("grace", "short", visitor)
        assert isinstance(refused, NotSignedUp)
