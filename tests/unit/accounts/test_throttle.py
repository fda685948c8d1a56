"""Tries at one moment: right ones use none up, wrong ones pass as often as allowed."""

import asyncio
from collections import Counter
from contextlib import ExitStack

import pytest

from server.accounts.outcomes import Denial
from server.accounts.requester import Requester
from server.accounts.throttle import PLACES_PER_ADDRESS
from server.core.account import Account
from server.core.throttling import Act, Throttled
from server.crypto.hash_threads import HasherBusy
from server.services import Services
from server.sessions.verdicts import LiveSession
from tests.support.clients.client import PASSWORD

AT_ONCE = 14


async def sign_in(services: Services, requester: Requester, password: str) -> Counter[str]:
    """Sign in many times at one moment; return how often each outcome came."""
    ways = (services.sign_in.by_password("ada", password, requester) for _ in range(AT_ONCE))
    return Counter(type(each).__name__ for each in await asyncio.gather(*ways))


@pytest.mark.usefixtures("ada")
async def test_right_sign_ins_at_one_moment_all_pass(
    services: Services, visitor: Requester
) -> None:
    assert await sign_in(services, visitor, PASSWORD) == {LiveSession.__name__: AT_ONCE}
    assert await sign_in(services, visitor, PASSWORD) == {LiveSession.__name__: AT_ONCE}


@pytest.mark.usefixtures("ada")
async def test_wrong_ones_pass_no_more_often_than_allowed(
    services: Services, visitor: Requester, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at, verify = [], services.accounts.verify

    async def counted(username: str, password: str) -> Account | None:
        looked_at.append(password)
        return await verify(username, password)

    monkeypatch.setattr(services.accounts, "verify", counted)
    outcomes = await sign_in(services, visitor, "no")
    assert outcomes == {Denial.__name__: 10, Throttled.__name__: AT_ONCE - 10}
    assert len(looked_at) == 10


async def test_a_right_one_among_wrong_ones_helps_no_wrong_one_that_waits(
    services: Services, visitor: Requester, ada: Account
) -> None:
    passwords = ["no"] * 12
    wrong = await asyncio.gather(
        *(services.sign_in.by_password(ada.user, each, visitor) for each in passwords)
    )
    assert sum(each is Denial.WRONG_CREDENTIALS for each in wrong) == 10
    late = await services.sign_in.by_password(ada.user, PASSWORD, visitor)
    assert isinstance(late, Throttled)


async def test_a_network_holds_no_more_places_than_its_own_and_sign_ups_none_of_the_others(
    services: Services,
) -> None:
    throttle = services.sign_up._throttle
    with ExitStack() as held:
        for _ in range(PLACES_PER_ADDRESS):
            held.enter_context(throttle._place(Act.SIGN_IN, "192.0.2.1"))
        for act in (Act.SIGN_IN, Act.SIGN_UP):
            with pytest.raises(HasherBusy), throttle._place(act, "192.0.2.1"):
                pytest.fail("there was a place")
        with throttle._place(Act.SIGN_IN, "192.0.2.2"):
            pass
    with throttle._place(Act.SIGN_UP, "192.0.2.1"):
        pass
