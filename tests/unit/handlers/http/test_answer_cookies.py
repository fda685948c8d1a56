"""What an answer does to the browser's cookies."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from math import inf

import pytest

from handlers.http.answer_cookies import (
    AnswerCookies,
    begins_or_changes_privilege,
)
from handlers.http.cookie import SessionCookie
from handlers.http.presented_cookies import PresentedCookies
from handlers.http.spare_cookies import Spare, SpareCookies
from server.core.reasons import NoSession, Reason
from server.core.session import Rules, Session
from server.core.token import Token, issue_token
from server.crypto.keyring import Keyring
from tests.support.clients.client import COOKIE
from tests.support.engine.browsing import new_session
from tests.support.engine.keys import KEY

NOW = 1_800_000_000.0
RULES = Rules(rotation_grace=timedelta(seconds=30))
KEYS = Keyring.from_secrets([KEY]).derive("c")
SPARES = SpareCookies(COOKIE, KEYS, timedelta(hours=1))
OLD = replace(new_session(NOW), user="ann")
NEW = replace(OLD, sid="00" + "z" * 22)
VISITOR = replace(OLD, user=None)
LATER = NOW + 60


def token(session: Session, number: int = 1) -> Token:
    """Return a genuine token."""
    return issue_token(session.sid, session.seed, number)


def spare(session: Session, number: int = 1, until: float = LATER) -> Spare:
    """Return a session's spare."""
    return Spare(SPARES.name_for(session), token(session, number), until)


def answer(
    own: Token | None = None, spares: Sequence[Spare] = (), *, is_browser: bool = True
) -> AnswerCookies:
    """Return the cookies of the answer to a request with these cookies."""
    presented = PresentedCookies(own, False, spares, own is not None, is_browser)
    return AnswerCookies(
        SessionCookie(COOKIE, KEYS, timedelta(hours=1), True), SPARES, RULES, presented
    )


def names(cookies: AnswerCookies, *, cleared: bool = False) -> set[str]:
    """Return the names of the cookies that the answer sets, or clears."""
    return {
        header.partition("=")[0]
        for header in cookies.headers
        if ("Max-Age=0;" in header) is cleared
    }


def given(cookies: AnswerCookies, session: Session, before: Session | NoSession | None) -> set[str]:
    """Return the names that are set when a session's first token is given."""
    cookies.give(session, token(session), NOW, before)
    return names(cookies)


@pytest.mark.parametrize(
    ("before", "comes_late"),
    [
        (OLD, False),
        (replace(OLD, issued=2), True),
        (replace(OLD, settles_at=NOW + 1), True),
        (NoSession(Reason.LOGOUT, "e", NOW - 59), True),
        (NoSession(Reason.LOGOUT, "e", NOW - 61), False),
        (NoSession(Reason.ADMIN, "e", NOW), False),
        (NoSession(), False),
    ],
)
def test_a_program_gets_a_spare_if_an_older_answer_is_known_to_be_under_way(
    before: Session | NoSession, *, comes_late: bool
) -> None:
    expected = {COOKIE, SPARES.name_for(NEW)} if comes_late else {COOKIE}
    assert given(answer(token(OLD), is_browser=False), NEW, before) == expected


def test_a_browser_gets_a_spare_whenever_it_had_a_cookie_before() -> None:
    assert given(answer(token(OLD)), NEW, OLD) == {COOKIE, SPARES.name_for(NEW)}
    assert given(answer(), NEW, NoSession()) == {COOKIE}


def test_no_spare_comes_with_what_is_no_change_of_privilege() -> None:
    assert given(answer(token(OLD)), OLD, None) == {COOKIE}


def test_a_spare_is_renewed_with_the_session_cookie_and_lasts_no_longer_for_it() -> None:
    cookies = answer(token(NEW), [spare(NEW)])
    cookies.give(NEW, token(NEW, 2), NOW + 30)
    assert names(cookies) == {COOKIE, SPARES.name_for(NEW)}
    kept = SPARES.presented([each.partition(";")[0] for each in cookies.headers])
    assert kept == [spare(NEW, 2)]
    over = answer(token(NEW), [spare(NEW, until=NOW - 1)])
    over.give(NEW, token(NEW, 2), NOW)
    assert names(over) == {COOKIE}


def test_a_visitor_in_a_browser_keeps_out_of_the_session_cookie() -> None:
    assert given(answer(), VISITOR, NoSession()) == {SPARES.visitor}
    assert given(answer(is_browser=False), VISITOR, NoSession()) == {COOKIE}
    assert given(answer(token(VISITOR)), VISITOR, None) == {COOKIE}  # where it has always been


def test_forgetting_takes_all_that_the_request_brought_and_no_other_name() -> None:
    visitor = Spare(SPARES.visitor, token(VISITOR), inf)
    cookies = answer(token(OLD), [spare(OLD), visitor])
    cookies.forget()
    assert names(cookies, cleared=True) == {COOKIE, SPARES.name_for(OLD), SPARES.visitor}


def test_what_is_useless_is_cleared() -> None:
    changed = replace(NEW, refused_below=2)
    visitor = Spare(SPARES.visitor, token(VISITOR), inf)
    cookies = answer(token(changed, 2), [spare(OLD), spare(NEW), visitor, spare(changed, 2)])
    cookies.tidy(changed, {OLD.sid}, NOW)
    useless = {SPARES.name_for(OLD), SPARES.name_for(NEW), SPARES.visitor}
    assert names(cookies, cleared=True) == useless


def test_a_spare_is_kept_until_nothing_older_can_come_and_the_session_cookie_has_it() -> None:
    for own, at, is_cleared in (
        (token(NEW), LATER - 1, False),
        (token(NEW), LATER, True),
        (token(OLD), LATER, False),
        (None, LATER, False),
    ):
        cookies = answer(own, [spare(NEW)])
        cookies.tidy(NEW, (), at)
        assert (names(cookies, cleared=True) == {SPARES.name_for(NEW)}) is is_cleared


def test_a_token_is_in_place_in_the_cookie_of_its_session() -> None:
    assert answer(token(NEW, 2)).is_in_place(NEW, token(NEW))
    assert not answer(token(OLD), [spare(NEW)]).is_in_place(NEW, token(NEW))
    visitor = Spare(SPARES.visitor, token(VISITOR), inf)
    assert answer(None, [visitor]).is_in_place(VISITOR, token(VISITOR))
    assert not answer(None, [visitor]).is_in_place(NEW, token(NEW))


def test_only_the_first_token_after_a_sign_in_or_a_proof_is_a_change_of_privilege() -> None:
    proved = replace(OLD, generation=2, issued=2, refused_below=2)
    assert begins_or_changes_privilege(NEW, token(NEW), OLD)
    assert begins_or_changes_privilege(NEW, token(NEW), NoSession())
    assert begins_or_changes_privilege(proved, token(proved, 2), OLD)
    assert not begins_or_changes_privilege(proved, token(proved, 2), proved)
    assert not begins_or_changes_privilege(OLD, token(OLD, 2), NoSession())


@pytest.mark.parametrize(
    ("remember", "lifetime"),
    [(None, "Max-Age=43200;"), (True, "Max-Age=2592000;"), (False, None)],
)
def test_the_cookies_live_as_long_as_was_chosen(
    *, remember: bool | None, lifetime: str | None
) -> None:
    chosen = replace(OLD, remember=remember, refused_below=1, created_at=NOW)
    cookies = answer(token(NEW))
    cookies.give(chosen, token(chosen), NOW, NEW)
    assert len(cookies.headers) == 2  # the spare, too
    for each in cookies.headers:
        assert (lifetime in each) if lifetime else ("Max-Age" not in each)
