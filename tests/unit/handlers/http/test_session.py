"""The session of a request: from the cookie to the live session, and back into a cookie."""

from collections import Counter
from collections.abc import Callable

import pytest
from tornado.httputil import HTTPServerRequest

from handlers.http.application import Curfew
from handlers.http.problems import TOKEN_OVERTAKEN, ProblemRaised
from handlers.http.session import SessionHandler
from handlers.http.spare_cookies import Spare
from server.accounts.outcomes import Denial
from server.core.audit import AuditEvent
from server.core.errors import StoreUnavailable
from server.core.reasons import NoSession, Reason
from server.core.session import Device, deadlines
from server.services import Services
from server.sessions.verdicts import LiveSession

Cookie = tuple[str, str]
HandlerOf = Callable[..., SessionHandler]
Recorded = Callable[[], Counter[AuditEvent]]
A_MINUTE = 60.0


async def loaded(handler: SessionHandler) -> SessionHandler:
    """Return the handler when its cookie is checked."""
    await handler.load_session()
    return handler


def cookies(handler: SessionHandler) -> list[str]:
    """Return the cookies that the answer sets."""
    return handler._headers.get_list("Set-Cookie")


def token_in(handler: SessionHandler) -> str:
    """Return the token that the answer gives the browser."""
    (header,) = cookies(handler)
    decoded = handler.application.cookie.decode(header.partition("=")[2].partition(";")[0])
    assert decoded is not None
    return decoded.token


async def test_the_cookie_of_a_live_session_loads_it(
    handler_of: HandlerOf, live: LiveSession, cookie: Cookie
) -> None:
    handler = await loaded(handler_of(cookie))
    assert (handler.user, handler.session.sid) == ("ada", live.session.sid)
    assert handler.person.live is handler.requester.live is handler.live
    assert cookies(handler) == []


async def test_a_request_is_asked_once_who_sent_it(
    handler_of: HandlerOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = handler_of(("User-Agent", "a browser"))
    asked: list[HTTPServerRequest] = []
    read = handler.application.devices.device_of

    def device_of(request: HTTPServerRequest) -> Device:
        asked.append(request)
        return read(request)

    monkeypatch.setattr(handler.application.devices, "device_of", device_of)
    await loaded(handler)
    handler.set_audit_source()
    assert handler.requester.device is handler.device
    assert len(asked) == 1, "a proxy that names no client would be counted for each time"


async def test_without_a_cookie_there_is_no_session_and_nothing_is_recorded(
    handler_of: HandlerOf, recorded: Recorded
) -> None:
    handler = await loaded(handler_of(("Cookie", "other=1")))
    assert handler.live is None
    assert handler.requester.live is None
    assert not recorded()
    with pytest.raises(ProblemRaised) as raised:
        _ = handler.person
    assert raised.value.problem.extra["reason"] == "unauthenticated"


@pytest.mark.parametrize(("spoil", "why"), [("{0}0", "forged"), ("{0}; {0}", "duplicate")])
async def test_a_cookie_that_is_not_ours_alone_is_recorded_and_opens_nothing(
    handler_of: HandlerOf, cookie: Cookie, caplog: pytest.LogCaptureFixture, spoil: str, why: str
) -> None:
    caplog.set_level("INFO", "curfew.audit")
    handler = await loaded(handler_of(("Cookie", spoil.format(cookie[1]))))
    assert handler.live is None
    last = caplog.records[-1]
    assert (last.getMessage(), vars(last)["why"]) == (AuditEvent.COOKIE_REFUSED.value, why)


@pytest.mark.parametrize(("header", "moves"), [("none", False), ("", True), ("any", True)])
async def test_only_the_word_none_says_that_no_person_caused_a_request(
    handler_of: HandlerOf,
    live: LiveSession,
    cookie: Cookie,
    travel: Callable[[float], None],
    header: str,
    moves: bool,  # noqa: FBT001 - what the test expects
) -> None:
    travel(A_MINUTE)
    handler = await loaded(handler_of(cookie, ("Curfew-Activity", header)))
    assert (handler.session.last_active_at > live.session.last_active_at) is moves


async def test_the_token_of_an_ended_session_says_why_it_ended_and_is_recorded(
    handler_of: HandlerOf, services: Services, live: LiveSession, cookie: Cookie, recorded: Recorded
) -> None:
    await services.terminations.one(live.session, Reason.LOGOUT)
    handler = await loaded(handler_of(cookie))
    assert handler.live is None
    assert handler.no_session.reason is Reason.LOGOUT
    assert handler.why_unauthenticated.extra["reason"] == "logout"
    assert recorded()[AuditEvent.USE_AFTER_END] == 1


async def test_the_former_token_of_a_session_is_told_from_one_without_a_session(
    handler_of: HandlerOf, services: Services, live: LiveSession, cookie: Cookie
) -> None:
    await services.sessions.elevate(live)
    handler = await loaded(handler_of(cookie))
    assert handler.live is None
    assert handler.overtaken
    assert handler.why_unauthenticated is TOKEN_OVERTAKEN


async def test_a_node_that_may_not_serve_asks_nothing_and_signs_nobody_out(
    handler_of: HandlerOf, services: Services, cookie: Cookie, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.engine.fence, "_held_at", 0.0)
    handler = handler_of(cookie)
    with pytest.raises(StoreUnavailable):
        await handler.load_session()
    assert cookies(handler) == []


async def test_a_new_token_is_set_for_as_long_as_the_session_may_last(
    handler_of: HandlerOf, services: Services, live: LiveSession
) -> None:
    handler = handler_of()
    renewed = await services.sessions.elevate(live)
    assert isinstance(renewed, LiveSession)
    assert handler.adopt(renewed) is handler.live
    assert token_in(handler) == str(renewed.token)
    left = deadlines(live.session, handler.rules).absolute_expires_at - handler.now()
    max_age = cookies(handler)[0].partition("; Max-Age=")[2].partition(";")[0]
    assert int(max_age) == pytest.approx(left, abs=2)


@pytest.mark.parametrize("found", [NoSession(Reason.TERMINATED), Denial.WRONG_PASSWORD])
async def test_what_is_no_live_session_is_raised_and_sets_no_cookie(
    handler_of: HandlerOf, found: NoSession | Denial
) -> None:
    handler = handler_of()
    with pytest.raises(ProblemRaised):
        handler.adopt(found)
    assert handler.live is None
    assert cookies(handler) == []


async def test_a_visitor_gets_a_session_only_to_keep_something_in_it(handler_of: HandlerOf) -> None:
    handler = handler_of()
    await handler.write_data({"basket": None})
    assert handler.live is None
    await handler.write_data({"basket": [7]})
    assert (handler.session.user, handler.session.data) == (None, {"basket": [7]})
    assert token_in(handler).startswith(handler.session.sid)


async def test_who_asks_for_a_session_that_is_not_there_gets_the_problem(
    handler_of: HandlerOf,
) -> None:
    handler = await loaded(handler_of())
    with pytest.raises(ProblemRaised) as raised:
        _ = handler.session
    assert raised.value.problem == handler.why_unauthenticated


async def test_a_spare_that_nothing_needs_any_more_is_taken_off_the_browser(
    handler_of: HandlerOf, app: Curfew, live: LiveSession, cookie: Cookie
) -> None:
    assert live.token is not None
    name = app.spare_cookies.name_for(live.session)
    over = Spare(name, live.token, until=live.session.created_at - A_MINUTE)
    shown = app.spare_cookies.set_header(over, max_age_seconds=60).partition(";")[0]
    handler = await loaded(handler_of((cookie[0], f"{cookie[1]}; {shown}")))
    assert handler.user == "ada"
    (cleared,) = cookies(handler)
    assert cleared.startswith(f"{name}=;")
    assert "Max-Age=0" in cleared
