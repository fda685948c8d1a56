"""The checks of where a request comes from and who sends it, each on a request alone."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from handlers.http import guards
from handlers.http.problems import CSRF_TOKEN_WRONG, NOT_ADMIN, UNKNOWN_HOST, Problem, ProblemRaised
from handlers.http.session import SessionHandler
from server.core.audit import AuditEvent
from server.core.token import csrf_token
from server.services import Services
from server.sessions.verdicts import LiveSession
from tests.support.clients.client import PASSWORD
from tests.support.clients.factors import App

HandlerOf = Callable[..., SessionHandler]
Recorded = Callable[[], Counter[AuditEvent]]
ELSEWHERE = ("Origin", "https://evil.example")


@pytest.fixture
def handler(handler_of: HandlerOf, live: LiveSession) -> SessionHandler:
    """The handler of a request of Ada's."""
    handler = handler_of()
    handler.live = live
    return handler


def own_origin(handler: SessionHandler) -> tuple[str, str]:
    """Return the Origin header of the server's own pages."""
    return "Origin", f"http://{handler.request.host}"


def refusal(check: Callable[[SessionHandler], None], handler: SessionHandler) -> Problem:
    """Return the problem that a check raises."""
    with pytest.raises(ProblemRaised) as raised:
        check(handler)
    return raised.value.problem


async def test_only_a_request_to_one_of_our_hosts_passes(
    handler_of: HandlerOf, recorded: Recorded
) -> None:
    guards.require_own_host(handler_of())
    assert not recorded()
    assert refusal(guards.require_own_host, handler_of(host="evil.example")) is UNKNOWN_HOST
    assert recorded() == {AuditEvent.HOST_REFUSED: 1}


async def test_a_change_from_another_site_is_refused_and_recorded(
    handler_of: HandlerOf, recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    guards.require_own_page(handler_of(own_origin(handler_of())))
    assert refusal(guards.require_own_page, handler_of(ELSEWHERE)).slug == "forbidden-origin"
    assert recorded() == {AuditEvent.ORIGIN_REFUSED: 1}
    assert vars(caplog.records[-1])["origin"] == "https://evil.example"


async def test_a_socket_must_name_its_origin_and_a_program_that_changes_something_need_not(
    handler_of: HandlerOf,
) -> None:
    guards.require_own_page(handler_of())
    assert refusal(guards.require_socket_origin, handler_of()).slug == "forbidden-origin"
    guards.require_socket_origin(handler_of(own_origin(handler_of())))


@pytest.mark.parametrize(("presented", "why"), [("", "missing"), ("x", "wrong"), ("ü", "wrong")])
async def test_a_request_without_its_sessions_csrf_token_is_refused_and_recorded(
    handler: SessionHandler,
    recorded: Recorded,
    caplog: pytest.LogCaptureFixture,
    presented: str,
    why: str,
) -> None:
    guards.require_csrf_token(handler, csrf_token(handler.session.seed))
    with pytest.raises(ProblemRaised) as raised:
        guards.require_csrf_token(handler, presented)
    assert raised.value.problem is CSRF_TOKEN_WRONG
    assert recorded()[AuditEvent.CSRF_REFUSED] == 1
    assert vars(caplog.records[-1])["why"] == why


async def test_who_is_no_administrator_is_refused_and_recorded(
    handler: SessionHandler, recorded: Recorded
) -> None:
    with pytest.raises(ProblemRaised) as raised:
        await guards.require_administrator(handler)
    assert raised.value.problem is NOT_ADMIN
    assert recorded()[AuditEvent.ACCESS_REFUSED] == 1


async def test_the_account_is_asked_each_time_whether_it_is_an_administrators(
    handler: SessionHandler, services: Services, live: LiveSession
) -> None:
    await services.accounts.create("root", PASSWORD, admin=True)
    root = replace(live.session, user="root")
    handler.live = replace(live, stored=replace(live.stored, session=root))
    await guards.require_administrator(handler)
    await services.accounts.set_disabled("root", disabled=True)
    with pytest.raises(ProblemRaised):
        await guards.require_administrator(handler)


async def test_a_password_counts_as_recent_for_the_window_of_the_rules(
    handler: SessionHandler, services: Services, travel: Callable[[float], None]
) -> None:
    assert await guards.is_recently_proved(handler, changes_second_factors=True)
    travel(services.sessions.rules.reauthentication_window.total_seconds())
    assert not await guards.is_recently_proved(handler, changes_second_factors=False)


@pytest.mark.parametrize("variables", [{"SECOND_FACTOR": "required"}])
async def test_a_password_alone_changes_no_second_factors_of_an_account_that_has_some(
    handler: SessionHandler, services: Services
) -> None:
    assert await guards.is_recently_proved(handler, changes_second_factors=True)
    begun = services.factors.begin_totp("ada")
    code = App(begun.secret, services.clock.now).code(0)
    await services.factor_changes.add_totp(handler.person, begun.setup, code, end_others=False)
    assert not await guards.is_recently_proved(handler, changes_second_factors=True)
    assert await guards.is_recently_proved(handler, changes_second_factors=False)
