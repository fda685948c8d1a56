"""After a change of second factors, the request goes on with the session that is left."""

from collections.abc import Callable
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from handlers.http.factor_change import adopt_change, totp_uri_of
from handlers.http.problems import ProblemRaised
from handlers.http.session import SessionHandler
from server.accounts.second_factor_changes import FactorChange
from server.core.reasons import NoSession, Reason
from server.services import Services
from server.sessions.verdicts import LiveSession
from tests.support.clients.client import COOKIE

HandlerOf = Callable[..., SessionHandler]


@pytest.fixture
def handler(handler_of: HandlerOf, live: LiveSession) -> SessionHandler:
    """The handler of a request of Ada's."""
    handler = handler_of()
    handler.live = live
    return handler


def cookies(handler: SessionHandler) -> list[str]:
    """Return the cookies that the answer sets."""
    return handler._headers.get_list("Set-Cookie")


async def test_the_browser_gets_the_new_token_of_its_session(
    handler: SessionHandler, services: Services, live: LiveSession
) -> None:
    renewed = await services.sessions.elevate(live, two_factors=True)
    assert isinstance(renewed, LiveSession)
    adopt_change(handler, FactorChange((), None, renewed))
    assert handler.live is renewed
    (header,) = cookies(handler)
    decoded = handler.application.cookie.decode(header.partition("=")[2].partition(";")[0])
    assert decoded is not None
    assert decoded.token == str(renewed.token)


async def test_a_change_that_ended_the_session_makes_the_browser_forget_it(
    handler: SessionHandler,
) -> None:
    adopt_change(handler, FactorChange((), None, None))
    assert handler.live is None
    (header,) = cookies(handler)
    assert header.startswith(f"{COOKIE}=; ")
    assert "Max-Age=0" in header


async def test_a_session_that_ended_meanwhile_is_told_of_and_the_cookie_stays(
    handler: SessionHandler,
) -> None:
    with pytest.raises(ProblemRaised) as raised:
        adopt_change(handler, FactorChange((), None, NoSession(Reason.TERMINATED)))
    assert raised.value.problem.extra["reason"] == "terminated"
    assert cookies(handler) == []


async def test_an_app_shows_the_user_and_the_host_that_the_browser_opened(
    handler: SessionHandler, services: Services
) -> None:
    setup = services.factors.begin_totp("ada")
    address = urlsplit(totp_uri_of(handler, setup))
    assert unquote(address.path) == f"/Curfew:ada@{handler.request.host}"
    assert parse_qs(address.query)["secret"] == [setup.secret]
